"""The door of the sandbox: who the companies are, where they are kept, signing in, and what every call must show."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.sandbox.notifier import Notifier
from integrations.vendors.corrigopro import sandbox_signing as signing
from integrations.vendors.corrigopro.sandbox_bodies import Mistake, Refusal, content_type, failure, invalid
from integrations.vendors.corrigopro.sandbox_data import OrderBook
from integrations.vendors.corrigopro.sandbox_papers import Cabinet
from integrations.vendors.corrigopro.sandbox_words import AMERICAS, EMEA, World

LIFETIME = timedelta(seconds=1199)
FOR_GOOD = timedelta(days=3650)
LONGEST_MESSAGE_ID = 128
PLACES: tuple[tuple[str, World, int], ...] = (("am", AMERICAS, 15_849), ("emea", EMEA, 480_211))
NEIGHBOURS = {"am": "apac", "emea": "apac"}  # where a company is moved to
# What is asked for each stream; the permission for it is taken away with it.
STREAMS = {
    "customers": "customers",
    "customersettings": "customer-settings",
    "workorder/search": "work-orders",
    "workorder": "work-orders",
    "invoice": "invoices",
    "attachments": "attachments",
    "messages": "messages",
    "procedure": "procedures",
    "procedure/step": "procedure-steps",
    "associates": "associates",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A company at CorrigoPro: it lives in one region and is not known in the others."""

    index: int
    home: str
    client_id: str
    book: OrderBook
    cabinet: Cabinet


class Door(Notifier):
    """Companies, their credentials and regions."""

    # 5, 10, 20, 40, then every 60 minutes, 200 tries at most (the vendor's hub); 2xx within 30 s is success.
    retry_delays = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60))
    most_tries = 200
    key = "corrigopro"
    account_names = ("A company in Denver", "A company in Leeds")

    def __init__(self, *, sizes: tuple[int, ...], **options: Any) -> None:
        super().__init__(**options)
        self.lifetime = LIFETIME
        self._gzipping: set[int] = set()  # accounts
        self._forging: set[int] = set()
        self._moved: set[int] = set()
        self._refused: set[tuple[int, str]] = set()
        self._ended: set[int] = set()
        self.accounts = [
            self._account(index, place, size) for index, (place, size) in enumerate(zip(PLACES, sizes, strict=False))
        ]

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        company = self.accounts[account]
        region = self.region(company)
        return (
            {
                "environment": "sandbox",
                "region": region,
                "rest_url": f"{self.url}/{region}/Direct/api",
                "oauth_url": f"{self.url}/OAuth/Token",
                "client_id": company.client_id,
                "branch_id": company.book.branches[0],
                "subscription_ends_on": None,
                "history_days": 90,
                "papers_days": 14,
            },
            {"client_secret": self._secret(company.client_id, company.index)},
        )

    def production_pair(self, account: int = 0) -> tuple[str, str]:
        """Client id and secret of the company's production twin, which the sandbox does not know."""
        client_id = self._production_id(self.accounts[account])
        return client_id, self._secret(client_id, account)

    def account_of(self, request: Request) -> int | None:
        value = request.headers.get("authorization", "").partition(" ")[2]
        facts = self.tokens.find(value, "access") if value else None
        if facts:
            return int(facts["account"])
        client_id = request.form.get("client_id")
        return next((account.index for account in self.accounts if account.client_id == client_id), None)

    def region(self, account: Account) -> str:
        return NEIGHBOURS[account.home] if account.index in self._moved else account.home

    def companies(self, account: int | None) -> list[Account]:
        return self.accounts if account is None else [self.accounts[account]]

    def let_time_pass(self) -> None:
        for account in self.accounts:
            account.book.catch_up(self.clock.now())

    def expire_tokens(self, account: int | None = None) -> None:
        """Every access token is refused from now on; a new one is given for the asking."""
        for company in self.companies(account):
            self.tokens.revoke("access", account=company.index)

    def rotate_credentials(self, account: int | None = None) -> None:
        """Someone presses Regenerate: the secrets change, tokens already given out live on to their end."""
        for company in self.companies(account):
            times = self._times_regenerated(company.index) + 1
            # Kept with the tokens, so that a restarted demo still knows the pair it gave out last.
            self.tokens.issue(f"pair {company.index}", kind="regenerated", lifetime=FOR_GOOD, times=times)

    def revoke(self, account: int | None = None) -> None:
        """Secrets and tokens are refused. `demo_setup` then gives the new secrets."""
        self.rotate_credentials(account)
        self.expire_tokens(account)

    def refuse(self, stream: str, account: int | None = None) -> None:
        self._refused |= {(company.index, stream) for company in self.companies(account)}

    def end_subscription(self, account: int | None = None) -> None:
        """Nothing is permitted any more (403: not documented)."""
        self._ended |= {company.index for company in self.companies(account)}

    def allow_everything(self, account: int | None = None) -> None:
        """The subscription is renewed, every permission given back."""
        for company in self.companies(account):
            self._ended.discard(company.index)
            self._refused = {entry for entry in self._refused if entry[0] != company.index}

    def move_region(self, account: int | None = None) -> None:
        """The company is kept in another region, or back in its own: its old REST address answers 500, code 1000."""
        self._moved ^= {company.index for company in self.companies(account)}

    def gzip_tokens(self, account: int | None = None) -> None:
        """Tokens, those of notifications too, carry their data packed, or plain again."""
        self._gzipping ^= {company.index for company in self.companies(account)}

    def forge_tokens(self, account: int | None = None) -> None:
        """Tokens, those of notifications too, are signed wrongly, or rightly again."""
        self._forging ^= {company.index for company in self.companies(account)}

    def shorten_tokens(self) -> None:
        """Tokens given out from now on live for a minute, or as long as usual again."""
        self.lifetime = timedelta(minutes=1) if self.lifetime == LIFETIME else LIFETIME

    def not_found(self, request: Request) -> Reply:
        return Reply.html("<html><head><title>404</title></head><body>The resource cannot be found.</body></html>", 404)

    @route("POST", "/OAuth/Token")
    def token(self, request: Request) -> Reply:
        return self._grant(request, {account.client_id: account.index for account in self.accounts}, kind="access")

    @route("POST", "/production/OAuth/Token")
    def production_token(self, request: Request) -> Reply:
        """Production's own sign-in server. The sandbox's service does not take what it gives."""
        twins = {self._production_id(account): account.index for account in self.accounts}
        return self._grant(request, twins, kind="production")

    @route("GET", "/certificate")
    def certificate(self, request: Request) -> Reply:
        return Reply(body=signing.certificate(self._signing_key()), headers={"Content-Type": "application/x-pem-file"})

    def guarded(
        self, request: Request, path: str, region: str, message_id: str, answer: Callable[[Account], Reply]
    ) -> Reply:
        """What is checked on every call, in this order: token, region, permission, message id."""
        account = self._admitted(request, path, region)
        if isinstance(account, Reply):
            return account
        if not message_id or len(message_id) > LONGEST_MESSAGE_ID:
            return invalid("MessageId", "Required", "MessageId is required, up to 128 characters", None)
        try:
            return answer(account)
        except Mistake as mistake:
            return invalid(mistake.name, mistake.kind, mistake.words, message_id)
        except Refusal as refusal:
            return failure(400, refusal.code, refusal.words, message_id)

    def posted(
        self, request: Request, path: str, region: str, answer: Callable[[Account, dict[str, Any]], Reply]
    ) -> Reply:
        """The same for a JSON body. A content type it does not know ends like a crash."""
        if content_type(request) != "application/json":
            return failure(500, 1000, "An error has occurred.", None)
        body = request.json
        if not isinstance(body, dict):
            return self.unread(request, path, region, Mistake("", "IncorrectType", "Empty request model"))
        message_id = body.get("MessageId")
        told = message_id if isinstance(message_id, str) else ""
        return self.guarded(request, path, region, told, lambda account: answer(account, body))

    def unread(self, request: Request, path: str, region: str, mistake: Mistake) -> Reply:
        """The answer to a body that was not read: it has no message id to repeat."""
        account = self._admitted(request, path, region)
        return account if isinstance(account, Reply) else invalid(mistake.name, mistake.kind, mistake.words, None)

    def _admitted(self, request: Request, path: str, region: str) -> Account | Reply:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        facts = self.tokens.find(value, "access") if scheme.lower() == "bearer" else None
        if not facts or self.tokens.is_expired(facts):
            return failure(401, 2000, "Authorization has been denied for this request.", None)
        account: Account = self.accounts[facts["account"]]
        if region.lower() != self.region(account):
            return failure(500, 1000, "An error has occurred.", None)
        if account.index in self._ended or (account.index, STREAMS.get(path.lower())) in self._refused:
            return failure(403, 0, "Forbidden", None)
        return account

    def _account(self, index: int, place: tuple[str, World, int], size: int) -> Account:
        region, world, first_id = place
        book = OrderBook(
            world=world,
            first_id=first_id,
            size=size,
            seed=self.seed * 10 + index,
            epoch=self.epoch,
            change_every=self.change_every,
        )
        client_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{region}.{self.seed}.corrigopro.example"))
        return Account(index=index, home=region, client_id=client_id, book=book, cabinet=Cabinet(book))

    def _grant(self, request: Request, known: dict[str, int], kind: str) -> Reply:
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return Reply.json({"error": "unsupported_grant_type"}, 400)
        client_id = form.get("client_id", "")
        if client_id not in known or form.get("client_secret") != self._secret(client_id, known[client_id]):
            return Reply.json({"error": "invalid_client"}, 400)
        value = self.signed_token(known[client_id], client_id)
        self.tokens.issue(value, kind=kind, lifetime=self.lifetime, account=known[client_id])
        seconds = int(self.lifetime.total_seconds())
        return Reply.json({"access_token": value, "token_type": "bearer", "expires_in": seconds})

    def signed_token(self, account: int, client_id: str) -> str:
        """A fresh token for that client of that account, not yet good for anything."""
        return signing.token(
            self._signing_key(),
            client_id,
            self.clock.now(),
            is_gzipped=account in self._gzipping,
            is_forged=account in self._forging,
        )

    def _signing_key(self) -> str:
        """Kept with the tokens: a certificate that an admin has stored must outlive a restart."""
        kept = self.tokens.find("signing", "key")
        if kept is None:
            self.tokens.issue("signing", kind="key", lifetime=FOR_GOOD, pem=signing.new_key())
        return str((self.tokens.find("signing", "key") or {})["pem"])

    def _times_regenerated(self, account: int) -> int:
        return int((self.tokens.find(f"pair {account}", "regenerated") or {"times": 0})["times"])

    def _secret(self, client_id: str, account: int) -> str:
        return hashlib.sha256(f"{client_id}/{self._times_regenerated(account)}".encode()).hexdigest()[:40]

    def _production_id(self, account: Account) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"production.{account.client_id}"))
