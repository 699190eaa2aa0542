"""CorrigoPro Direct in a box: sign-in, every read we use with its documented errors, and what people do meanwhile."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corrigopro.sandbox_data import OrderBook
from integrations.vendors.corrigopro.sandbox_door import Account, failure, invalid
from integrations.vendors.corrigopro.sandbox_people import People

SPANS = ("Created", "LastUpdate", "DueDate", "OnSiteBy", "AcknowledgeBy")
CRITERIA = (*SPANS, "Statuses", "WorkOrderNumber", "CustomerId")


class Emulator(People):
    """Two companies. `sizes` is how many work orders each has at the start.

    `search_cap` is the most rows a search gives, chosen without order: no such cap is documented, which is why a client
    must be ready for one. `refuses_last_update` makes search reject that criterion. `broken` holds ids whose details
    come without their id, `withheld` ids that search lists and the details leave out.
    """

    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("advance_order", "An order goes on to its next status"),
        ("create_order", "A customer sends a new order"),
        ("put_on_hold", "A customer puts an order on hold"),
        ("recall_order", "A customer recalls an order"),
        ("reopen_order", "A customer reopens an order"),
        ("verify_order", "A customer verifies an order"),
        ("move_due_date", "A due date moves"),
        ("raise_limit", "A customer raises what an order may cost"),
        ("change_several_at_once", "Five orders change in one second"),
        ("lose_order", "An order is no longer there"),
        ("add_attachment", "A file is attached"),
        ("remove_attachment", "A customer deletes a file"),
        ("send_message", "A message is sent"),
        ("move_invoice_on", "An invoice is submitted, authorised or paid"),
        ("dispute_invoice", "A customer disputes an invoice"),
        ("tick_step", "A step of a procedure is done"),
        ("add_custom_field", "A customer wants one more field filled in"),
        ("lose_customer", "A customer leaves"),
        ("hire_associate", "A branch takes on an associate"),
        ("let_associate_go", "A branch lets an associate go"),
        ("keep_silent", "Files, messages, invoices no longer move their order's LastUpdate, or do again"),
        ("refuse_last_update", "Search refuses LastUpdate, or takes it again"),
        ("expire_tokens", "Expire all tokens"),
        ("shorten_tokens", "Tokens live for a minute, or as long as usual again"),
        ("gzip_tokens", "Tokens carry packed data, or plain again"),
        ("forge_tokens", "Tokens are signed wrongly, or rightly again"),
        ("rotate_credentials", "Press Regenerate: the client secrets change"),
        ("revoke", "Revoke all access"),
        ("end_subscription", "The subscription ends: nothing is permitted"),
        ("allow_everything", "The subscription is renewed, everything is permitted"),
        ("move_region", "Move the company to another region, or back"),
    )

    def __init__(self, *, sizes: tuple[int, ...] = (400, 200), search_cap: int = 500, **options: Any) -> None:
        super().__init__(sizes=sizes, **options)
        self.search_cap = search_cap
        self.refuses_last_update = False
        self.broken: set[int] = set()
        self.withheld: set[int] = set()
        self._row = lru_cache(maxsize=20_000)(self._render_row)
        self._detail = lru_cache(maxsize=20_000)(self._render_detail)

    def refuse_last_update(self) -> None:
        self.refuses_last_update = not self.refuses_last_update

    def change(self, account: int, number: int) -> int:
        """Take one order to its next status now; its id."""
        book = self.accounts[account].book
        book.advance(number, self.clock.now())
        return book.first_id + number

    def create(self, account: int) -> int:
        """A customer sends one more order now; its id."""
        book = self.accounts[account].book
        return book.first_id + book.add(self.clock.now())

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        book, cabinet = self.accounts[account].book, self.accounts[account].cabinet
        settings, _ = self.demo_setup(account)
        if stream in {"customers", "customer-settings"}:
            return {str(book.customer_id(index)) for index in book.customers()}
        if stream == "associates":
            return {f"{branch}/{one['Id']}" for branch in book.branches for one in cabinet.associates(branch)}
        days = timedelta(days=settings["history_days" if stream == "work-orders" else "papers_days"])
        since = self.clock.now() - days
        kept = [number for number in range(len(book)) if number not in book.vanished]
        if stream == "work-orders":
            return {str(book.first_id + number) for number in kept if book.story(number).created >= since}
        lately = [number for number in kept if book.last_update(number) >= since]
        return {own for number in lately for own in self._papers(stream, self.accounts[account], number)}

    def handle(self, request: Request) -> Reply:
        for account in self.accounts:
            account.book.catch_up(self.clock.now())
        return super().handle(request)

    @route("GET", "/{region}/Direct/api/customers")
    def customers(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            found = [account.book.customer(index) for index in account.book.customers()]
            return _told(request, Customers=found)

        return self._get(request, "customers", region, answer)

    @route("GET", "/{region}/Direct/api/customerSettings")
    def customer_settings(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            wanted = request.get("customerId")
            if not wanted.isdecimal():
                return invalid("CustomerId", "IncorrectType", "customerId is required", request.get("messageId"))
            for index in account.book.customers():
                if account.book.customer_id(index) == int(wanted):
                    return _told(request, CustomerSettings=account.cabinet.settings(index))
            return failure(400, 3003, "Customer not found.", request.get("messageId"))

        return self._get(request, "customerSettings", region, answer)

    @route("GET", "/{region}/Direct/api/associates")
    def associates(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            wanted = request.get("branchId")
            if not wanted.isdecimal():
                return invalid("BranchId", "IncorrectType", "branchId is required", request.get("messageId"))
            if int(wanted) not in account.book.branches:
                return failure(400, 3003, "Branch not found.", request.get("messageId"))
            return _told(request, Associates=account.cabinet.associates(int(wanted)))

        return self._get(request, "associates", region, answer)

    @route("GET", "/{region}/Direct/api/invoice")
    def invoice(self, request: Request, region: str) -> Reply:
        return self._of_order(request, "invoice", region, "Invoice", lambda account, n: account.cabinet.invoice(n))

    @route("GET", "/{region}/Direct/api/attachments")
    def attachments(self, request: Request, region: str) -> Reply:
        return self._of_order(
            request, "attachments", region, "Attachments", lambda account, n: account.cabinet.attachments(n)
        )

    @route("GET", "/{region}/Direct/api/messages")
    def messages(self, request: Request, region: str) -> Reply:
        return self._of_order(request, "messages", region, "Messages", lambda account, n: account.cabinet.messages(n))

    @route("GET", "/{region}/Direct/api/procedure")
    def procedure(self, request: Request, region: str) -> Reply:
        return self._of_order(request, "procedure", region, "Procedures", lambda account, n: account.book.procedures(n))

    @route("GET", "/{region}/Direct/api/procedure/step")
    def step(self, request: Request, region: str) -> Reply:
        return self._of_order(request, "procedure/step", region, "Steps", lambda account, n: account.cabinet.steps(n))

    @route("POST", "/{region}/Direct/api/workOrder/search")
    def search(self, request: Request, region: str) -> Reply:
        body = request.json if isinstance(request.json, dict) else {}
        message_id = str(body.get("MessageId") or "")

        def answer(account: Account) -> Reply:
            wanted = body.get("Parameters")
            if not isinstance(wanted, dict):
                return invalid("Parameters", "Required", "Empty request model", message_id)
            for name in wanted:
                if name not in CRITERIA or (name == "LastUpdate" and self.refuses_last_update):
                    return invalid(f"Parameters.{name}", "Unknown", "Unknown search criterion", message_id)
            try:
                numbers = _matching(account.book, wanted)
            except (KeyError, TypeError, ValueError):
                return invalid("Parameters", "IncorrectType", "A search criterion is malformed", message_id)
            # No order is documented, and none is kept.
            numbers = sorted(numbers, key=lambda number: number * 7919 % 10_007)[: self.search_cap]
            rows = [self._row(account.index, number, account.book.version[number]) for number in numbers]
            return _listing(rows, message_id)

        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return failure(500, 1000, "An error has occurred.", None)
        return self.guarded(request, "workOrder/search", region, message_id, answer)

    @route("GET", "/{region}/Direct/api/workOrder")
    def details(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            message_id = request.get("messageId")
            given = [value for key, value in request.query if re.fullmatch(r"ids(\[\d+\])?", key, re.IGNORECASE)]
            if not given or not all(value.isdecimal() for value in given):
                return invalid("ids", "IncorrectType", "ids must be whole numbers", message_id)
            if len(given) > 50:
                return invalid("ids", "OutOfRange", "At most 50 ids are taken", message_id)
            numbers = {account.book.number_of(int(value)) for value in given if int(value) not in self.withheld}
            known = sorted((number for number in numbers if number is not None), reverse=True)
            orders = [self._detail(account.index, number, account.book.version[number]) for number in known]
            return _listing(orders, message_id)

        return self._get(request, "workOrder", region, answer)

    def _get(self, request: Request, path: str, region: str, answer: Callable[[Account], Reply]) -> Reply:
        return self.guarded(request, path, region, request.get("messageId"), answer)

    def _of_order(
        self, request: Request, path: str, region: str, name: str, find: Callable[[Account, int], object]
    ) -> Reply:
        def answer(account: Account) -> Reply:
            wanted = request.get("workOrderId")
            if not wanted.isdecimal():
                return invalid("WorkOrderId", "IncorrectType", "workOrderId is required", request.get("messageId"))
            number = account.book.number_of(int(wanted))
            if number is None:
                return failure(400, 3005, "The work order was not found or has been recalled.", None)
            return _told(request, **{name: find(account, number)})

        return self._get(request, path, region, answer)

    def _papers(self, stream: str, account: Account, number: int) -> list[str]:
        """The external ids of what hangs on one order."""
        book, cabinet = account.book, account.cabinet
        order = book.first_id + number
        if stream == "invoices":
            return [str(order)] if cabinet.invoice(number)["LineItems"] else []
        found = {
            "attachments": lambda: [one["AttachmentId"] for one in cabinet.attachments(number)],
            "messages": lambda: [one["Id"] for one in cabinet.messages(number)],
            "procedures": lambda: [one["Id"] for one in book.procedures(number)],
            "procedure-steps": lambda: [one["Id"] for one in cabinet.steps(number)],
        }[stream]()
        return [f"{order}/{own}" for own in found]

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
    spans = {name: _span(value) for name, value in wanted.items() if name in SPANS}
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


def _told(request: Request, **content: object) -> Reply:
    return Reply.json({**content, "MessageId": request.get("messageId")})


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
