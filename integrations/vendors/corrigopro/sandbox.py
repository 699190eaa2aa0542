"""CorrigoPro Direct in a box: sign-in, customers, work order search and details, with its documented errors."""

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, ClassVar

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.corrigopro.sandbox_data import OrderBook
from integrations.vendors.corrigopro.sandbox_words import AMERICAS, EMEA, World

LIFETIME = timedelta(seconds=1199)
CRITERIA = (
    "Created",
    "LastUpdate",
    "DueDate",
    "OnSiteBy",
    "AcknowledgeBy",
    "Statuses",
    "WorkOrderNumber",
    "CustomerId",
)
PLACES: tuple[tuple[str, World, int], ...] = (("am", AMERICAS, 15_849), ("emea", EMEA, 480_211))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A company at CorrigoPro: it lives in one region and is not known in the others."""

    index: int
    region: str
    client_id: str
    book: OrderBook


class Emulator(Sandbox):
    """Two companies. `sizes` is how many work orders each has at the start.

    `search_cap` is the most rows a search gives, chosen without order: no such cap is documented, which is why a client
    must be ready for one. `refuses_last_update` makes search reject that criterion. `broken` holds ids whose details
    come without their id, `withheld` ids that search lists and the details leave out.
    """

    key = "corrigopro"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("expire_tokens", "Expire all tokens"),
        ("rotate_credentials", "Press Regenerate: the client secrets change"),
        ("revoke_access", "Revoke all access"),
        ("move_region", "Move the companies to another region, or back"),
    )

    def __init__(self, *, sizes: tuple[int, ...] = (2000, 1000), search_cap: int = 500, **options: Any) -> None:
        super().__init__(**options)
        self.search_cap = search_cap
        self.refuses_last_update = self.has_moved = False
        self.broken: set[int] = set()
        self.withheld: set[int] = set()
        self.accounts = [
            Account(
                index=index,
                region=region,
                client_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{region}.{self.seed}.corrigopro.example")),
                book=OrderBook(
                    world=world,
                    first_id=first_id,
                    size=size,
                    seed=self.seed * 10 + index,
                    epoch=self.epoch,
                    change_every=self.change_every,
                ),
            )
            for index, ((region, world, first_id), size) in enumerate(zip(PLACES, sizes, strict=False))
        ]
        self._row = lru_cache(maxsize=20_000)(self._render_row)
        self._detail = lru_cache(maxsize=20_000)(self._render_detail)

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        company = self.accounts[account]
        return (
            {
                "environment": "sandbox",
                "region": company.region,
                "rest_url": f"{self.url}/{company.region}/Direct/api",
                "oauth_url": f"{self.url}/OAuth/Token",
                "client_id": company.client_id,
                "history_days": 90,
            },
            {"client_secret": self._secret(company)},
        )

    def expire_tokens(self) -> None:
        """Every access token is refused from now on; a new one is given for the asking."""
        self.tokens.revoke("access")

    def rotate_credentials(self) -> None:
        """Someone presses Regenerate: the secrets change, tokens already given out live on to their end."""
        times = self._times_regenerated() + 1
        # Kept with the tokens, so that a restarted demo still knows the pair it gave out last.
        self.tokens.issue("pair", kind="regenerated", lifetime=timedelta(days=3650), times=times)

    def revoke_access(self) -> None:
        """Secrets and tokens are refused. `demo_setup` then gives the new secrets."""
        self.rotate_credentials()
        self.expire_tokens()

    def move_region(self) -> None:
        """The companies are kept in another region: their old REST address answers 500 with code 1000."""
        self.has_moved = not self.has_moved

    def change(self, account: int, number: int) -> int:
        """Take one order to its next status now; its id."""
        book = self.accounts[account].book
        book.advance(number, self.clock.now())
        return book.first_id + number

    def create(self, account: int) -> int:
        """A customer sends one more order now; its id."""
        book = self.accounts[account].book
        return book.first_id + book.add(self.clock.now())

    def handle(self, request: Request) -> Reply:
        for account in self.accounts:
            account.book.catch_up(self.clock.now())
        return super().handle(request)

    def not_found(self, request: Request) -> Reply:
        return Reply.html("<html><head><title>404</title></head><body>The resource cannot be found.</body></html>", 404)

    @route("POST", "/OAuth/Token")
    def token(self, request: Request) -> Reply:
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return Reply.json({"error": "unsupported_grant_type"}, 400)
        for account in self.accounts:
            if (form.get("client_id"), form.get("client_secret")) == (account.client_id, self._secret(account)):
                value = self._token_text(account)
                self.tokens.issue(value, kind="access", lifetime=LIFETIME, account=account.index)
                seconds = int(LIFETIME.total_seconds())
                return Reply.json({"access_token": value, "token_type": "bearer", "expires_in": seconds})
        return Reply.json({"error": "invalid_client"}, 400)

    @route("GET", "/{region}/Direct/api/customers")
    def customers(self, request: Request, region: str) -> Reply:
        def answer(account: Account, message_id: str) -> Reply:
            book = account.book
            found = [book.customer(index) for index in range(len(book.world.customers))]
            return Reply.json({"Customers": found, "MessageId": message_id})

        return self._guarded(request, region, request.get("messageId"), answer)

    @route("POST", "/{region}/Direct/api/workOrder/search")
    def search(self, request: Request, region: str) -> Reply:
        body = request.json if isinstance(request.json, dict) else {}

        def answer(account: Account, message_id: str) -> Reply:
            wanted = body.get("Parameters")
            if not isinstance(wanted, dict):
                return _invalid("Parameters", "Required", "Empty request model", message_id)
            for name in wanted:
                if name not in CRITERIA or (name == "LastUpdate" and self.refuses_last_update):
                    return _invalid(f"Parameters.{name}", "Unknown", "Unknown search criterion", message_id)
            try:
                numbers = _matching(account.book, wanted)
            except (KeyError, TypeError, ValueError):
                return _invalid("Parameters", "IncorrectType", "A search criterion is malformed", message_id)
            # No order is documented, and none is kept.
            numbers = sorted(numbers, key=lambda number: number * 7919 % 10_007)[: self.search_cap]
            rows = [self._row(account.index, number, account.book.version[number]) for number in numbers]
            return _listing(rows, message_id)

        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _failure(500, 1000, "An error has occurred.", None)
        return self._guarded(request, region, str(body.get("MessageId") or ""), answer)

    @route("GET", "/{region}/Direct/api/workOrder")
    def details(self, request: Request, region: str) -> Reply:
        def answer(account: Account, message_id: str) -> Reply:
            given = [value for key, value in request.query if re.fullmatch(r"ids(\[\d+\])?", key, re.IGNORECASE)]
            if not given or not all(value.isdecimal() for value in given):
                return _invalid("ids", "IncorrectType", "ids must be whole numbers", message_id)
            if len(given) > 50:
                return _invalid("ids", "OutOfRange", "At most 50 ids are taken", message_id)
            numbers = {account.book.number_of(int(value)) for value in given if int(value) not in self.withheld}
            known = sorted((number for number in numbers if number is not None), reverse=True)
            orders = [self._detail(account.index, number, account.book.version[number]) for number in known]
            return _listing(orders, message_id)

        return self._guarded(request, region, request.get("messageId"), answer)

    def _guarded(
        self, request: Request, region: str, message_id: str, answer: Callable[[Account, str], Reply]
    ) -> Reply:
        """What is checked on every call, in this order: token, region, message id."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        facts = self.tokens.find(value, "access") if scheme.lower() == "bearer" else None
        if not facts or self.tokens.is_expired(facts):
            return _failure(401, 2000, "Authorization has been denied for this request.", None)
        account = self.accounts[facts["account"]]
        if self.has_moved or region.lower() != account.region:
            return _failure(500, 1000, "An error has occurred.", None)
        if not message_id or len(message_id) > 128:
            return _invalid("MessageId", "Required", "MessageId is required, up to 128 characters", None)
        return answer(account, message_id)

    def _times_regenerated(self) -> int:
        return int((self.tokens.find("pair", "regenerated") or {"times": 0})["times"])

    def _secret(self, account: Account) -> str:
        return hashlib.sha256(f"{account.client_id}/{self._times_regenerated()}".encode()).hexdigest()[:40]

    def _token_text(self, account: Account) -> str:
        """`<data><----><sign>`: claims and signature, Base64Url without padding. The signature is a stand-in."""
        now = self.clock.now().astimezone(UTC)
        times = {".issued": now, ".expires": now + timedelta(minutes=20)}
        claims = [
            {
                "Type": kind,
                "Value": value,
                "ValueType": "string",
                "Issuer": "CorrigoPro",
                "OriginalIssuer": "CorrigoPro",
            }
            for kind, value in (
                ("name", account.client_id),
                ("urn:oauth:scope", "direct"),
                ("Aud", "CorrigoProDirect"),
                ("nonce", uuid.uuid4().hex),
            )
        ]
        data = {
            "AuthenticationType": "Bearer",
            "NameClaimType": "name",
            "RoleClaimType": "role",
            "Claims": claims,
            "Properties": {"Dictionary": {name: format_datetime(at, usegmt=True) for name, at in times.items()}},
        }
        text = json.dumps(data).encode()
        sign = b"".join(hashlib.sha256(text + bytes([part])).digest() for part in range(8))
        return f"{_base64(text)}<---->{_base64(sign)}"

    def _render_row(self, account: int, number: int, version: int) -> bytes:
        return _encoded(self.accounts[account].book.row(number))

    def _render_detail(self, account: int, number: int, version: int) -> bytes:
        book = self.accounts[account].book
        detail = book.detail(number)
        if book.first_id + number in self.broken:
            detail["WorkOrderId"] = None
        return _encoded(detail)


def _matching(book: OrderBook, wanted: dict[str, Any]) -> list[int]:
    """Numbers of the orders that meet every criterion. Raises KeyError, TypeError or ValueError on a malformed one."""
    spans = {name: _span(value) for name, value in wanted.items() if name in CRITERIA[:5]}
    if "LastUpdate" in spans:
        numbers = list(book.updated_between(*spans["LastUpdate"]))
    else:
        everything = (book.epoch - timedelta(days=3650), book.epoch + timedelta(days=3650))
        numbers = list(book.created_between(*spans.get("Created", everything)))
    return [number for number in numbers if _fits(book, number, wanted, spans)]


def _fits(book: OrderBook, number: int, wanted: dict[str, Any], spans: dict[str, tuple[datetime, datetime]]) -> bool:
    if len(spans) == 1 == len(wanted) and spans.keys() <= {"Created", "LastUpdate"}:
        return True
    row = book.row(number)
    moments = {"Created": row["Created"], "LastUpdate": row["LastUpdate"], **row["Sla"]}
    return (
        all(begin <= datetime.fromisoformat(moments[name]) <= end for name, (begin, end) in spans.items())
        and row["Status"] in (wanted.get("Statuses") or [row["Status"]])
        and row["WorkOrderNumber"] == wanted.get("WorkOrderNumber", row["WorkOrderNumber"])
        and row["Customer"]["Id"] == int(wanted.get("CustomerId", row["Customer"]["Id"]))
    )


def _span(value: dict[str, str]) -> tuple[datetime, datetime]:
    begin, end = (datetime.fromisoformat(value[name]) for name in ("From", "To"))
    return begin if begin.tzinfo else begin.replace(tzinfo=UTC), end if end.tzinfo else end.replace(tzinfo=UTC)


def _listing(items: list[bytes], message_id: str) -> Reply:
    body = b'{"WorkOrders":[' + b",".join(items) + b'],"MessageId":' + json.dumps(message_id).encode() + b"}"
    return Reply(body=body, headers={"Content-Type": "application/json; charset=utf-8"})


def _failure(status: int, code: int, message: str, message_id: str | None, *mistakes: dict[str, str]) -> Reply:
    body = {"Code": code, "Message": message, "MessageId": message_id, "ValidationErrors": list(mistakes) or None}
    return Reply.json(body, status)


def _invalid(name: str, kind: str, message: str, message_id: str | None) -> Reply:
    mistake = {"FieldName": name, "ErrorType": kind, "Message": message}
    return _failure(400, 2100, "The request is invalid.", message_id, mistake)


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
