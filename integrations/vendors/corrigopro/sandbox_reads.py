"""What the sandbox tells: every read we use, and those that show what was written, with their documented errors.

A-28 `workOrder/noteHistory` and `workOrder/AdditionalFieldHistory` answer lists called Notes and History;
`attachments/downloadUrl` answers DownloadUrl, good for 20 minutes.
"""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corrigopro.sandbox_bodies import GONE, Mistake, Refusal
from integrations.vendors.corrigopro.sandbox_data import OrderBook
from integrations.vendors.corrigopro.sandbox_door import Account
from integrations.vendors.corrigopro.sandbox_people import People

SPANS = ("Created", "LastUpdate", "DueDate", "OnSiteBy", "AcknowledgeBy")
CRITERIA = (*SPANS, "Statuses", "WorkOrderNumber", "CustomerId")
DOWNLOAD_SPAN = timedelta(minutes=20)


class Reads(People):
    """`search_cap` is the most rows a search gives, chosen without order: no such cap is documented, which is why a
    client must be ready for one. `refuses_last_update` makes search reject that criterion. `broken` holds ids whose
    details come without their id, `withheld` ids that search lists and the details leave out."""

    def __init__(self, *, search_cap: int, **options: Any) -> None:
        super().__init__(**options)
        self.search_cap = search_cap
        self.refuses_last_update = False
        self.broken: set[int] = set()
        self.withheld: set[int] = set()
        self._row = lru_cache(maxsize=20_000)(self._render_row)
        self._detail = lru_cache(maxsize=20_000)(self._render_detail)

    def refuse_last_update(self) -> None:
        self.refuses_last_update = not self.refuses_last_update

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
                raise Mistake("CustomerId", "IncorrectType", "customerId is required")
            for index in account.book.customers():
                if account.book.customer_id(index) == int(wanted):
                    return _told(request, CustomerSettings=account.cabinet.settings(index))
            raise Refusal(3003, "Customer not found.")

        return self._get(request, "customerSettings", region, answer)

    @route("GET", "/{region}/Direct/api/associates")
    def associates(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            wanted = request.get("branchId")
            if not wanted.isdecimal():
                raise Mistake("BranchId", "IncorrectType", "branchId is required")
            if int(wanted) not in account.book.branches:
                raise Refusal(3003, "Branch not found.")
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

    @route("GET", "/{region}/Direct/api/workOrder/noteHistory")
    def note_history(self, request: Request, region: str) -> Reply:
        return self._of_order(
            request, "workOrder/noteHistory", region, "Notes", lambda account, n: account.cabinet.notes.get(n, [])
        )

    @route("GET", "/{region}/Direct/api/workOrder/AdditionalFieldHistory")
    def field_history(self, request: Request, region: str) -> Reply:
        def history(account: Account, number: int) -> object:
            field = request.get("additionalFieldId")
            if not field.isdecimal():
                raise Mistake("AdditionalFieldId", "IncorrectType", "additionalFieldId is required")
            return account.cabinet.field_history.get((number, int(field)), [])

        return self._of_order(request, "workOrder/AdditionalFieldHistory", region, "History", history)

    @route("GET", "/{region}/Direct/api/attachments/downloadUrl")
    def download_url(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            wanted = request.get("attachmentId")
            if not account.cabinet.has_file(wanted):
                raise Refusal(3003, "Attachment not found.")
            key = self.tokens.issue(
                uuid.uuid4().hex, kind="download", lifetime=DOWNLOAD_SPAN, account=account.index, file=wanted
            )
            return _told(request, DownloadUrl=f"{self.url}/download/{key}")

        return self._get(request, "attachments", region, answer)

    @route("GET", "/download/{key}")
    def download(self, request: Request, key: str) -> Reply:
        facts = self.tokens.find(key, "download")
        if not facts or self.tokens.is_expired(facts):
            return self.not_found(request)
        content = self.accounts[facts["account"]].cabinet.contents.get(facts["file"], b"A file of the sandbox.")
        return Reply(body=content, headers={"Content-Type": "application/octet-stream"})

    @route("POST", "/{region}/Direct/api/workOrder/search")
    def search(self, request: Request, region: str) -> Reply:
        def answer(account: Account, body: dict[str, Any]) -> Reply:
            wanted, message_id = body.get("Parameters"), body["MessageId"]
            if not isinstance(wanted, dict):
                raise Mistake("Parameters", "Required", "Empty request model")
            for name in wanted:
                if name not in CRITERIA or (name == "LastUpdate" and self.refuses_last_update):
                    raise Mistake(f"Parameters.{name}", "Unknown", "Unknown search criterion")
            try:
                numbers = _matching(account.book, wanted)
            except (KeyError, TypeError, ValueError):
                raise Mistake("Parameters", "IncorrectType", "A search criterion is malformed") from None
            # No order is documented, and none is kept.
            numbers = sorted(numbers, key=lambda number: number * 7919 % 10_007)[: self.search_cap]
            rows = [self._row(account.index, number, account.book.version[number]) for number in numbers]
            return _listing(rows, message_id)

        return self.posted(request, "workOrder/search", region, answer)

    @route("GET", "/{region}/Direct/api/workOrder")
    def details(self, request: Request, region: str) -> Reply:
        def answer(account: Account) -> Reply:
            message_id = request.get("messageId")
            given = [value for key, value in request.query if re.fullmatch(r"ids(\[\d+\])?", key, re.IGNORECASE)]
            if not given or not all(value.isdecimal() for value in given):
                raise Mistake("ids", "IncorrectType", "ids must be whole numbers")
            if len(given) > 50:
                raise Mistake("ids", "OutOfRange", "At most 50 ids are taken")
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
                raise Mistake("WorkOrderId", "IncorrectType", "workOrderId is required")
            number = account.book.number_of(int(wanted))
            if number is None:
                raise Refusal(3005, GONE)
            return _told(request, **{name: find(account, number)})

        return self._get(request, path, region, answer)

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
