"""Corecon in a box: two builders, each with its own app, keys, people and books.

Checks what the vendor's guide describes and answers with its numbers. What is not published follows `assumptions.py`.
Letter case in paths does not matter.
"""

import re
import secrets
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.corecon.assumptions import ACCESS_LIFETIME, CODE_LIFETIME
from integrations.vendors.corecon.codes import meaning_of
from integrations.vendors.corecon.sandbox_apps import (
    FEATURES,
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
from integrations.vendors.corecon.sandbox_data import MONTHS, Books

DEMO_SIZES = (40, 25)  # projects
DEMO_COMPANIES = (250, 150)
DEMO_TIMECARDS = (2500, 1200)
LARGEST_PAGE = 100
OURS = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d+)?/oauth/callback/corecon/")


class Emulator(Sandbox):
    """`sizes` are projects per account; companies and timecards grow with them unless given. `redirect_uris` are those
    registered with both apps; none: any address of a local portal's callback."""

    key = "corecon"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("revoke_access", "Revoke all access"),
        ("expire_tokens", "Expire the access tokens"),
        ("switch_apps_off", "Switch the apps off"),
        ("end_databases", "End the databases"),
        ("withdraw_timecards", "Withdraw the feature Labor Timecards"),
        ("restore", "Make apps, databases and features well again"),
    )

    def __init__(
        self,
        *,
        sizes: tuple[int, ...] = DEMO_SIZES,
        companies: tuple[int, ...] = (),
        timecards: tuple[int, ...] = (),
        redirect_uris: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        is_demo = tuple(sizes) == DEMO_SIZES
        companies = companies or (DEMO_COMPANIES if is_demo else tuple(6 * size for size in sizes))
        timecards = timecards or (DEMO_TIMECARDS if is_demo else tuple(60 * size for size in sizes))
        self.redirect_uris = redirect_uris
        self.apps = demo_apps()
        self.books = [
            Books(
                seed=self.seed * 1000 + account,
                epoch=self.epoch,
                prefix=app.prefix,
                companies=companies[account],
                projects=sizes[account],
                timecards=timecards[account],
                first_id=(account + 1) * 1_000_000,
                change_every=self.change_every,
            )
            for account, app in enumerate(self.apps)
        ]
        self.is_bare = False  # lists come as a bare array, without a total
        self._generation = 0

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        app = self.apps[account]
        settings = {
            "environment": app.environment,
            "base_url": self.url,
            "account_key": app.account_key,
            "integration_key": app.integration_key,
            "grant": "authorization_code",
            "scopes": "read",
            "registered_state": app.state,
            "refresh_minutes": app.refresh_minutes,
            "username": "",
            "time_zone": app.time_zone,
        }
        return settings, {"secret_key": app.secret_key}

    def revoke_access(self) -> None:
        """Forget every token."""
        self.tokens.revoke()

    def expire_tokens(self) -> None:
        """Access tokens given out until now have ended; refresh tokens are good."""
        self._generation += 1

    def switch_apps_off(self) -> None:
        for app in self.apps:
            app.trouble = 467

    def end_databases(self) -> None:
        for app in self.apps:
            app.trouble = 485 if app.environment == "sandbox" else 487

    def withdraw_timecards(self) -> None:
        for app in self.apps:
            app.features.discard("Labor Timecards")

    def restore(self) -> None:
        for app in self.apps:
            app.trouble, app.features = None, set(FEATURES.values())

    def handle(self, request: Request) -> Reply:
        for books in self.books:
            for shelf in books.shelves.values():
                shelf.catch_up(self.clock.now())
        try:
            return super().handle(request)
        except Refusal as refusal:
            return Reply.json({"code": refusal.number, "message": refusal.name}, refusal.number)

    def not_found(self, request: Request) -> Reply:
        return Reply.json({"code": 404, "message": "Not Found"}, 404)

    # Consent

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
        app = self._app(request.get("client_id"))
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

    # Tokens

    @route("POST", "/token")
    @route("POST", "/api/token")
    def give_tokens(self, request: Request) -> Reply:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refusal(415)
        client_id, secret_key = basic_pair(request)
        app, form = self._app(client_id), request.form
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
        facts = {"app": app.integration_key, "scopes": scopes, "generation": self._generation}
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

    def _app(self, key: str) -> App:
        try:
            UUID(key)
        except ValueError:
            raise Refusal(465) from None
        for app in self.apps:
            if app.integration_key == key.lower():
                return app
        raise Refusal(474)

    # Reading

    @route("GET", "/api")
    def list_resources(self, request: Request) -> Reply:
        self._reader(request)
        found = [{"Name": name, "Url": f"{self.url}/api/{name}/List"} for name in FEATURES]
        return Reply.json({"Resources": found})

    @route("GET", "/api/test/resource1")
    def test_bearer(self, request: Request) -> Reply:
        app = self._reader(request)
        return Reply.json({"Message": f"Hello {app.username}"})

    @route("GET", "/api/Company/List")
    def list_companies(self, request: Request) -> Reply:
        return self._list(request, "Company")

    @route("GET", "/api/Project/List")
    def list_projects(self, request: Request) -> Reply:
        return self._list(request, "Project")

    @route("POST", "/api/LaborTime/List")
    def list_timecards(self, request: Request) -> Reply:
        wish = request.json
        if not isinstance(wish, dict) or not isinstance(wish.get("Date"), dict):
            raise Refusal(400)
        zone = wish.get("Timezone")
        if not isinstance(zone, str) or not zone or "/" in zone or wish.get("Project"):
            raise Refusal(451)  # Windows names have no slash; asking for single projects is not played here
        since, until = (_day(wish["Date"].get(name)) for name in ("FromDate", "ToDate"))
        return self._list(request, "LaborTime", since, until)

    def _list(self, request: Request, resource: str, since: date | None = None, until: date | None = None) -> Reply:
        app = self._reader(request)
        if FEATURES[resource] not in app.features:
            raise Refusal(403)
        page, size = _number(request.get("page", "1")), min(_number(request.get("itemPerPage", "100")), LARGEST_PAGE)
        books = self.books[self.apps.index(app)]
        numbers = books.numbers(resource, since, until)
        rows = books.page(resource, numbers[(page - 1) * size : page * size])
        if not self.is_bare:
            rows = b'{"Data":%b,"Page":%d,"ItemPerPage":%d,"TotalRecords":%d}' % (rows, page, size, len(numbers))
        return Reply(body=rows, headers={"Content-Type": "application/json; charset=utf-8"})

    def _reader(self, request: Request) -> App:
        """The app of the token, when everything sent along belongs together and it may read."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value or request.get("access_token"):
            raise Refusal(401)  # a token is taken from the header only
        token = self.tokens.find(value, "access")
        if token is None:
            raise Refusal(480)
        if self.tokens.is_expired(token) or token["generation"] < self._generation:
            raise Refusal(479)
        account, key = request.get("accountId").lower(), request.get("integrationKey").lower()
        if account not in {app.account_key for app in self.apps}:
            raise Refusal(483)
        app = next((app for app in self.apps if app.integration_key == key), None)
        if app is None:
            raise Refusal(474)
        if app.account_key != account or token["app"] != key:
            raise Refusal(478)
        check_well(app)
        if "read" not in token["scopes"].split(","):
            raise Refusal(403)
        return app


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**6:
        raise Refusal(451)
    return int(text)


def _day(text: object) -> date:
    """`02-Mar-2022`, the form that cannot be misread; the others are refused here, so that we notice."""
    found = re.fullmatch(r"(\d{2})-([A-Z][a-z]{2})-(\d{4})", text) if isinstance(text, str) else None
    if not found or found[2] not in MONTHS:
        raise Refusal(451)
    try:
        return date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
    except ValueError:
        raise Refusal(451) from None
