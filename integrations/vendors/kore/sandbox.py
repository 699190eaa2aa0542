"""KORE in a box: token endpoint, entities with filter, order and selection, and the faults a client must stand."""

import base64
import binascii
import secrets
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.kore.sandbox_data import Customer, Table, customer
from integrations.vendors.kore.sandbox_lists import Lists
from integrations.vendors.kore.sandbox_mishaps import Mishaps
from integrations.vendors.kore.sandbox_query import BadQuery, parse_select
from integrations.vendors.kore.sandbox_world import World

PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET,HEAD,OPTIONS",
    "Access-Control-Max-Age": "1800",
    "Access-Control-Allow-Headers": (
        "Connection,Cache-Control,Expires,Pragma,Authorization,X-Api-Key,Content-Type,Content-Length"
    ),
}


class Refusal(Exception):
    """An error answer in KORE's shape (guide: "Errors")."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        body = {"id": str(uuid.uuid4()), "error_id": str(uuid.uuid4()), "error": category, "message": message}
        errors = [message] if category == "Validation" else None
        self.reply = Reply.json({**body, "link": None, "errors": errors}, status)


class Emulator(Mishaps, Lists, Sandbox):
    """`sizes`: bills of each customer. The API answers below /api, the sign-in below /auth, so that the two can be
    mistaken for each other; both answer at the root, too."""

    key = "kore"
    mishaps: ClassVar[tuple[str, ...]] = (
        "edit_a_bill",
        "edit_many_at_once",
        "void_a_bill",
        "delete_a_bill",
        "record_a_payment",
        "take_back_a_payment",
        "draft_a_deal",
        "sign_a_deal",
        "reopen_a_deal",
        "delete_a_deal",
        "edit_a_line",
        "change_the_calendar",
    )
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("expire_tokens", "Expire every token"),
        ("revoke", "Revoke all access"),
        ("end_the_key", "End the API key; signing in goes on"),
        ("restore_access", "Give access back"),
        ("withdraw_payments", "Withdraw the licence for payments"),
        ("withdraw_deals", "Withdraw the licence for deals"),
        ("license_everything", "License every entity again"),
        ("fail_five_times", "Answer the next five requests with a server error"),
        ("draft_a_deal", "Draft a deal that has bills already"),
        ("sign_a_deal", "Sign a draft deal"),
        ("reopen_a_deal", "Make a draft of a signed deal"),
        ("record_a_payment", "Record a payment"),
        ("pay_silently", "Record payments without touching their bills from now on"),
        ("edit_many_at_once", "Import: one change date for many bills"),
        ("void_a_bill", "Make a bill inactive"),
        ("delete_a_bill", "Delete a bill without a trace"),
        ("delete_a_deal", "Delete a deal with its bills"),
        ("edit_while_paging", "Edit a row while the next page is on its way"),
        ("show_bare_states", "States as bare numbers, or as objects again"),
        ("drop_the_zone", "System times without their Z, or with it again"),
        ("rename_fields", "Other names for some fields, or the usual ones again"),
        ("take_basic_literally", "Basic sign-in without URL-decoding, or with it again"),
    )

    def __init__(self, *, sizes: tuple[int, ...] = (7000, 4000), **options: Any) -> None:
        super().__init__(**options)
        self.customers = [customer(number) for number in range(len(sizes))]
        self.account_names = tuple(who.name for who in self.customers)
        self.worlds = [
            World(who, size, seed=self.seed, epoch=self.epoch, change_every=self.change_every)
            for who, size in zip(self.customers, sizes, strict=True)
        ]
        self.token_lifetime = timedelta(hours=1)
        self.renamed = {}
        self.after_page: Callable[[str], None] | None = None  # called once, after the next page of any entity
        self._steps = 0
        self._denied: set[tuple[int, str]] = set()
        self._revoked: set[int] = set()
        self._ended_keys: set[int] = set()
        self._failing = 0
        self.rendered = OrderedDict()
        self._lock = threading.RLock()

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        who = self.customers[account]
        settings = {
            "client_id": who.client_id,
            "currency": who.currency,
            "key_ends_on": "",
            "base_url": f"{self.url}/api",
            "auth_url": f"{self.url}/auth",
            "credentials_in": who.credentials_in,
            "api_version": "",
            "field_map": "",
        }
        return settings, {"client_secret": who.client_secret, "api_key": who.api_key}

    def sign_ins(self, account: int = 0) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
        usual = self.customers[account].credentials_in
        settings, secrets = self.demo_setup(account)
        return {
            way: ({**settings, "credentials_in": way}, dict(secrets))
            for way in sorted(("body", "basic"), key=lambda way: way != usual)
        }

    def account_of(self, request: Request) -> int | None:
        facts = self.tokens.find(request.headers.get("authorization", "").partition(" ")[2], "access")
        if facts:
            return int(facts["account"])
        who = self._client(request, request.form) if request.method == "POST" else None
        return who.number if who else None

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        with self._lock:
            self.worlds[account].catch_up(self.clock.now())
            return set(self.table(account, stream).number_of)

    def table(self, account: int, entity: str) -> Table:
        return self.worlds[account].tables[entity]

    def expire_tokens(self, account: int | None = None) -> None:
        for number in self._numbers(account):
            self.tokens.revoke("access", account=number)

    def revoke(self, account: int | None = None) -> None:
        """Neither tokens nor keys nor secrets are taken any more."""
        self._revoked |= self._numbers(account)
        self.expire_tokens(account)

    def end_the_key(self, account: int | None = None) -> None:
        self._ended_keys |= self._numbers(account)

    def restore_access(self, account: int | None = None) -> None:
        self._revoked -= self._numbers(account)
        self._ended_keys -= self._numbers(account)

    def refuse(self, stream: str, account: int | None = None) -> None:
        """Withdraw the licence for one entity."""
        self._denied |= {(number, stream) for number in self._numbers(account)}

    def withdraw_payments(self, account: int | None = None) -> None:
        self.refuse("billing-payments", account)

    def withdraw_deals(self, account: int | None = None) -> None:
        self.refuse("deals", account)

    def license_everything(self, account: int | None = None) -> None:
        self._denied = {(number, entity) for number, entity in self._denied if number not in self._numbers(account)}

    def fail(self, times: int) -> None:
        """500 with an `error_id` for the next requests of entities."""
        self._failing = times

    def fail_five_times(self) -> None:
        self.fail(5)

    def _numbers(self, account: int | None) -> set[int]:
        return {who.number for who in self.customers} if account is None else {account}

    def handle(self, request: Request) -> Reply:
        if request.method == "OPTIONS":
            return Reply(status=204, headers=PREFLIGHT)
        if request.method == "HEAD":
            request = replace(request, method="GET")
        root, _, rest = request.path.lstrip("/").partition("/")
        is_sign_in = request.path.lower().endswith("/connect/token")
        if root.lower() in ("api", "auth") and is_sign_in == (root.lower() == "auth"):
            request = replace(request, path=f"/{rest}")
        try:
            if request.method != "GET" and not is_sign_in:
                raise Refusal(405, "Validation", "The API is read only.")
            reply = super().handle(request)
        except Refusal as refusal:
            reply = refusal.reply
        return replace(reply, headers={**reply.headers, "Access-Control-Allow-Origin": "*"})

    def not_found(self, request: Request) -> Reply:
        return Refusal(404, "NotFound", "There is nothing at this address.").reply

    @route("POST", "/connect/token")
    def give_token(self, request: Request) -> Reply:
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return Reply.json({"error": "unsupported_grant_type"}, 400)
        who = self._client(request, form)
        if who is None or who.number in self._revoked:
            return Reply.json({"error": "invalid_client"}, 400)
        if form.get("scope", "pss-api") != "pss-api":
            return Reply.json({"error": "invalid_scope"}, 400)
        token = self.tokens.issue(
            f"eyJhbGciOiJSUzI1NiJ9.{secrets.token_urlsafe(40)}.{secrets.token_urlsafe(20)}",
            kind="access",
            lifetime=self.token_lifetime,
            account=who.number,
        )
        lasts = int(self.token_lifetime.total_seconds())
        return Reply.json({"access_token": token, "expires_in": lasts, "token_type": "Bearer", "scope": "pss-api"})

    @route("GET", "/users/current")
    def current_user(self, request: Request) -> Reply:
        who = self._customer(request)
        return Reply.json({"id": self.worlds[who.number].deals.guid(0, "people"), "name": f"{who.name} API user"})

    @route("GET", "/entities/{entity}")
    def list_rows(self, request: Request, entity: str) -> Reply:
        who, table = self._open(request, entity)
        with self._lock:
            self.worlds[who.number].catch_up(self.clock.now())
            try:
                body = self.list_of(request, table)
            except BadQuery as mistake:
                raise Refusal(400, "Validation", str(mistake)) from mistake
            if self.after_page:
                hook, self.after_page = self.after_page, None
                hook(entity)
        return _json(body)

    @route("GET", "/entities/{entity}/{row_id}")
    def show_row(self, request: Request, entity: str, row_id: str) -> Reply:
        who, table = self._open(request, entity)
        with self._lock:
            self.worlds[who.number].catch_up(self.clock.now())
            number = table.number_of.get(row_id.lower())
            if number is None:
                raise Refusal(404, "NotFound", f"There is no {entity} with this id.")
            try:
                chosen = parse_select(request.get("select"), self.types_of(table))
            except BadQuery as mistake:
                raise Refusal(400, "Validation", str(mistake)) from mistake
            return _json(self.render(table, number, *chosen))

    def _client(self, request: Request, form: dict[str, str]) -> Customer | None:
        """Whose credentials these are; both values are URL-decoded, from the body as from Basic (RFC 6749, 2.3.1)."""
        kind, _, packed = request.headers.get("authorization", "").partition(" ")
        given = form.get("client_id", ""), form.get("client_secret", "")
        if kind.lower() == "basic":
            try:
                name, _, word = base64.b64decode(packed, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            given = (unquote_plus(name), unquote_plus(word)) if self.decodes_basic else (name, word)
        return next((who for who in self.customers if (who.client_id, who.client_secret) == given), None)

    def _customer(self, request: Request) -> Customer:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        facts = self.tokens.find(token, "access") if kind == "Bearer" else None
        if facts is None or self.tokens.is_expired(facts) or facts["account"] in self._revoked:
            raise Refusal(401, "Authentication", "The token is missing, invalid or expired.")
        who: Customer = self.customers[facts["account"]]
        if request.headers.get("x-api-key") != who.api_key or who.number in self._ended_keys:
            raise Refusal(401, "Authentication", "The API key is missing or not valid.")
        if request.headers.get("x-api-version", "1") != "1":
            raise Refusal(400, "Validation", "There is no such version of the API.")
        return who

    def _open(self, request: Request, entity: str) -> tuple[Customer, Table]:
        who = self._customer(request)
        with self._lock:
            if self._failing:
                self._failing -= 1
                raise Refusal(500, "Server", "Something went wrong. Contact support and include the id included.")
        if (who.number, entity) in self._denied:
            raise Refusal(403, "Authorization", f"You are not allowed to read {entity}.")
        table = self.worlds[who.number].tables.get(entity)
        if table is None:
            raise Refusal(404, "NotFound", f"There is no entity {entity}.")
        return who, table


def _json(body: bytes) -> Reply:
    return Reply(body=body, headers={"Content-Type": "application/json; charset=utf-8"})
