"""The sandbox's doors: the consent page, the token endpoint, and who a call's token belongs to."""

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.corecon.assumptions import ACCESS_LIFETIME, CODE_LIFETIME
from integrations.vendors.corecon.codes import meaning_of
from integrations.vendors.corecon.sandbox_apps import (
    App,
    Refusal,
    back_to,
    basic_pair,
    check_grant,
    check_scopes,
    check_user,
    check_well,
    demo_apps,
)
from integrations.vendors.corecon.sandbox_consent import consent_page, refusal_page

OURS = re.compile(r"https?://[^/?#]+/oauth/callback/corecon/")
ENVIRONMENT = "sandbox-environment"  # header by which a request carries the first part of its path


class SignIn(Sandbox):
    """`redirect_uris` are those registered with both apps; none: the callback of any portal."""

    def __init__(self, *, redirect_uris: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(**options)
        self.redirect_uris = redirect_uris
        self.apps = demo_apps()

    def consent(self, address: str, account: int = 0) -> dict[str, str]:
        """Sign in on the consent page as that account's user, and press Allow."""
        parts, app = urlsplit(address), self.apps[account]
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        decision = {"decision": "allow", "username": app.username, "password": app.password}
        reply = self.handle(
            Request(method="POST", path=parts.path, query=query, headers={}, body=urlencode(decision).encode())
        )
        if reply.status != 302:
            raise ValueError(f"no consent: {reply.status}")
        return dict(parse_qsl(urlsplit(reply.headers["Location"]).query, keep_blank_values=True))

    def account_of(self, request: Request) -> int | None:
        key = request.get("integrationKey") or request.get("client_id")
        if not key and request.headers.get("authorization", "").lower().startswith("basic "):
            try:
                key, _ = basic_pair(request)
            except Refusal:
                return None
        return next((number for number, app in enumerate(self.apps) if app.integration_key == key.lower()), None)

    def expire_tokens(self, account: int | None = None) -> None:
        """Access tokens given out until now have ended; refresh tokens are good."""
        for app in self.chosen(account):
            app.generation += 1

    def revoke_access(self, account: int | None = None) -> None:
        """Forget every token."""
        for app in self.chosen(account):
            self.tokens.revoke(app=app.integration_key)

    def revoke(self, account: int | None = None) -> None:
        """Every token is forgotten, and the app's keys open nothing any more."""
        self.revoke_access(account)
        self.switch_apps_off(account)

    def switch_apps_off(self, account: int | None = None) -> None:
        for app in self.chosen(account):
            app.trouble = 467

    def chosen(self, account: int | None) -> Iterable[App]:
        """The app of that account, or all."""
        return self.apps if account is None else [self.apps[account]]

    @route("GET", "/Authorization")
    @route("GET", "/api/Authorization")
    def show_consent(self, request: Request) -> Reply:
        try:
            app = self._asking_app(request)
        except Refusal as refusal:
            return Reply.html(refusal_page(refusal.number, refusal.name), refusal.number)
        return self._consent(app, request, username=app.username, password=app.password)

    @route("POST", "/Authorization")
    @route("POST", "/api/Authorization")
    def decide(self, request: Request) -> Reply:
        try:
            app = self._asking_app(request)
        except Refusal as refusal:
            return Reply.html(refusal_page(refusal.number, refusal.name), refusal.number)
        uri, state, form = request.get("redirect_uri"), request.get("state"), request.form
        if form.get("decision") != "allow":
            return back_to(uri, error="access_denied", state=state)
        try:
            check_user(app, form)
        except Refusal as refusal:
            return self._consent(app, request, form.get("username", ""), problem=meaning_of(refusal.number).words)
        code = self.tokens.issue(
            secrets.token_urlsafe(24),
            kind="code",
            lifetime=CODE_LIFETIME,
            app=app.integration_key,
            redirect_uri=uri,
            scopes=request.get("scopes"),
        )
        return back_to(uri, code=code, state=state)

    def _asking_app(self, request: Request) -> App:
        app = self._app(request, request.get("client_id"))
        check_well(app)
        if request.get("response_type") != "code":
            raise Refusal(400)
        uri = request.get("redirect_uri")
        if uri not in self.redirect_uris if self.redirect_uris else not OURS.fullmatch(uri):
            raise Refusal(488)
        if app.state and not secrets.compare_digest(request.get("state").encode(), app.state.encode()):
            raise Refusal(471)
        check_grant(app, "authorization_code")
        check_scopes(app, request.get("scopes"))
        return app

    def _consent(self, app: App, request: Request, username: str, password: str = "", problem: str = "") -> Reply:
        scopes = request.get("scopes").split(",")
        page = consent_page(
            app=app.name, account=app.account, scopes=scopes, username=username, password=password, problem=problem
        )
        return Reply.html(page)

    @route("POST", "/token")
    @route("POST", "/api/token")
    def give_tokens(self, request: Request) -> Reply:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refusal(415)
        client_id, secret_key = basic_pair(request)
        app, form = self._app(request, client_id), request.form
        if not secrets.compare_digest(secret_key.encode(), app.secret_key.encode()):
            raise Refusal(466)
        check_well(app)
        grant = form.get("grant_type", "")
        if grant == "refresh_token":
            scopes = self._spend(app, form.get("refresh_token", ""))
        elif grant == "authorization_code":
            check_grant(app, grant)
            scopes = self._trade(app, form)
        elif grant == "password":
            check_grant(app, grant)
            check_user(app, form)
            scopes = check_scopes(app, form.get("scope", ""))
        elif grant == "client_credentials":
            check_grant(app, grant)
            if (form.get("client_id"), form.get("secret_key")) != (app.integration_key, app.secret_key):
                raise Refusal(473)
            scopes = check_scopes(app, form.get("scope", ""))
        else:
            raise Refusal(472)
        return Reply.json(self._tokens(app, scopes, with_refresh=grant != "client_credentials"))

    def _tokens(self, app: App, scopes: str, *, with_refresh: bool) -> dict[str, Any]:
        facts = {"app": app.integration_key, "scopes": scopes, "generation": app.generation}
        seconds = int(ACCESS_LIFETIME.total_seconds())
        access = self.tokens.issue(secrets.token_urlsafe(32), kind="access", lifetime=timedelta(minutes=60), **facts)
        answer: dict[str, Any] = {"access_token": access, "token_type": "bearer", "expires_in": seconds}
        if with_refresh:
            lifetime = timedelta(minutes=app.refresh_minutes)
            answer["refresh_token"] = self.tokens.issue(
                secrets.token_urlsafe(32), kind="refresh", lifetime=lifetime, **facts
            )
        return answer

    def _spend(self, app: App, token: str) -> str:
        known = self.tokens.find(token, "refresh")
        if known is None or known["app"] != app.integration_key or known["spent"]:
            raise Refusal(480)
        if not self.tokens.spend(token, "refresh"):
            raise Refusal(479 if self.tokens.is_expired(known) else 480)
        return str(known["scopes"])

    def _trade(self, app: App, form: dict[str, str]) -> str:
        code = form.get("code", "")
        known = self.tokens.find(code, "code")
        if known is None or known["spent"]:
            raise Refusal(481)
        if known["app"] != app.integration_key:
            raise Refusal(470)
        if self.tokens.is_expired(known):
            raise Refusal(469)
        if form.get("redirect_uri") != known["redirect_uri"] or form.get("state", "") != app.state:
            raise Refusal(471)
        if not self.tokens.spend(code, "code"):
            raise Refusal(481)
        return str(known["scopes"])

    def _app(self, request: Request, key: str) -> App:
        """The app of that Integration Key; only the environment in which it was made knows it."""
        try:
            UUID(key)
        except ValueError:
            raise Refusal(465) from None
        for app in self._apps_at(request):
            if app.integration_key == key.lower():
                return app
        raise Refusal(474)

    def _apps_at(self, request: Request) -> list[App]:
        environment = request.headers.get(ENVIRONMENT)
        return [app for app in self.apps if environment in (None, app.environment)]

    def reader(self, request: Request) -> App:
        """The app of the token, when everything sent along belongs together and it may read."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value or request.get("access_token"):
            raise Refusal(401)  # a token is taken from the header only
        token = self.tokens.find(value, "access")
        if token is None:
            raise Refusal(480)
        owner = next(app for app in self.apps if app.integration_key == token["app"])
        if self.tokens.is_expired(token) or token["generation"] < owner.generation:
            raise Refusal(479)
        here = self._apps_at(request)
        account, key = request.get("accountId").lower(), request.get("integrationKey").lower()
        if account not in {app.account_key for app in here}:
            raise Refusal(483)
        if key not in {app.integration_key for app in here}:
            raise Refusal(474)
        if owner.account_key != account or owner.integration_key != key:
            raise Refusal(478)
        check_well(owner)
        if "read" not in token["scopes"].split(","):
            raise Refusal(403)
        return owner
