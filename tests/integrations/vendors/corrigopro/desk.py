"""A company's desk at the sandbox: its orders, asked about and acted on over HTTP as any client would."""

from collections.abc import Callable
from typing import Any

import httpx

from integrations.vendors.corrigopro.sandbox import Emulator
from integrations.vendors.corrigopro.sandbox_actions import policy
from integrations.vendors.corrigopro.sandbox_story import is_pre_billed

EASY = ("reopening", "backdating", "quotes")
Fits = Callable[[int], bool]


class Desk:
    def __init__(self, vendor: Emulator, account: int = 0) -> None:
        settings, secrets = vendor.demo_setup(account)
        self.vendor, self.account = vendor, account
        self.company = vendor.accounts[account]
        self.book, self.cabinet = self.company.book, self.company.cabinet
        form = {"grant_type": "client_credentials", "client_id": settings["client_id"], **secrets}
        # Without certificates: loading them for each client takes longer than the test.
        self.http = httpx.Client(base_url=settings["rest_url"], trust_env=False, verify=False, timeout=20)
        token = self.http.post(f"{vendor.url}/OAuth/Token", data=form).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        answer = self.http.request(method, path, **options)
        return answer.status_code, answer.json()

    def get(self, path: str, **query: object) -> dict[str, Any]:
        status, answer = self.ask("GET", path, params={"messageId": "m", **query})
        assert status == 200, answer
        return answer

    def put(self, path: str, **body: object) -> tuple[int, dict[str, Any]]:
        return self.ask("PUT", path, json={"MessageId": "m-1", **body})

    def do(self, path: str, order: int, **body: object) -> None:
        """An action that must succeed."""
        status, answer = self.put(path, WorkOrderId=order, **body)
        assert (status, answer["MessageId"]) == (200, "m-1"), answer

    def code(self, path: str, order: int, **body: object) -> int:
        """The code of an action that must be refused."""
        status, answer = self.put(path, WorkOrderId=order, **body)
        assert status == 400
        assert answer["MessageId"] == "m-1"
        return int(answer["Code"])

    def detail(self, order: int) -> dict[str, Any]:
        found: dict[str, Any] = self.get("workOrder", ids=order)["WorkOrders"][0]
        return found

    def status(self, order: int) -> str:
        return str(self.detail(order)["Status"])

    def an_order(self, status: str = "New", fits: Fits | None = None) -> int:
        """The id of an order in that status: by default of a customer who allows everything, not pre-billed, no
        planned work."""
        fits = fits or self.is_easy
        number = next(n for n in range(len(self.book)) if fits(n) and n not in self.book.vanished)
        self.book.turn(number, status, self.vendor.clock.now())
        return self.book.first_id + number

    def is_easy(self, number: int) -> bool:
        allowed = policy(self.book.customer_of(number))
        is_plain = not is_pre_billed(number) and not self.book.story(number).is_planned
        return is_plain and all(getattr(allowed, name) for name in EASY)

    def number(self, order: int) -> int:
        return order - self.book.first_id
