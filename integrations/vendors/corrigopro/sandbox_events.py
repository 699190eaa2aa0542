"""Event notifications: every action the vendor's hub names, in its shape, to the one address of a company.

A-18 The procedure's event is called ProcedureUpdated. A-22 A repeated notification keeps its MessageId.
A-26 A notification about a customer's setup and no order has no WorkOrderId.
A-27 A removed attachment is named by AttachmentId, as an added one is.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from integrations.sandbox.kit import Sandbox
from integrations.sandbox.notices import Notice, Spell
from integrations.vendors.corrigopro.sandbox_door import Account, Door
from integrations.vendors.corrigopro.sandbox_story import fraction_of, written

UNREAL = 2_000_000_000  # the first order id of test events: no such order
# What the next status is called in a notification, and whose doing it is.
STATUS_ACTIONS = {
    "Accepted": ("Accepted", "CorrigoPro"),
    "Rejected": ("Rejected", "CorrigoPro"),
    "Recalled": ("Recalled", "Customer"),
    "OnHold": ("PutOnHold", "Customer"),
    "New": ("Reopened", "Customer"),
    "CheckedIn": ("CheckedIn", "CorrigoPro"),
    "Paused": ("Paused", "CorrigoPro"),
    "CheckedOut": ("CheckedOut", "CorrigoPro"),
    "NeedsCompletionDetails": ("NeedsCompletionDetails", "CorrigoPro"),
    "Verified": ("WorkVerified", "Customer"),
}
PLACED = ("CheckedIn", "Paused")  # actions that tell where
Sent = dict[str, Any]


class Events(Door):
    """Tells. Nothing is worked out for a company that has no listener."""

    @contextmanager
    def serve(self, port: int = 0) -> Iterator["Sandbox"]:
        self.let_time_pass()  # what happened before a restart was told before it
        for company in self.accounts:
            company.book.on_change = partial(self._tell_of, company)
        with super().serve(port):
            yield self

    def dress(self, notice: Notice) -> Notice:
        """A token of its own at every try: the former one may have ended."""
        token = self.signed_token(notice.account, self.accounts[notice.account].client_id)
        return replace(notice, headers={**notice.headers, "Authorization": f"Bearer {token}"})

    def tell(
        self, company: Account, number: int | None, action: str, sender: Sent | None = None, **members: object
    ) -> None:
        """Something happened to that order, or (None) to the company's settings."""
        if self.listener(company.index):
            book = company.book
            placed = (
                {"BranchId": book.branches[0]}
                if number is None
                else {"WorkOrderId": book.first_id + number, "BranchId": book.row(number)["BranchId"]}
            )
            self._send(company, placed, action, sender or self.person(company, "Customer"), members)

    def tell_status(
        self, company: Account, number: int, comment: str = "", sender: Sent | None = None, **members: object
    ) -> None:
        """That order has the status it has now."""
        if self.listener(company.index):
            status = company.book.status(number)
            action, side = STATUS_ACTIONS[status]
            told = status_members(action, status, comment, self._now()) | members
            self.tell(company, number, action, sender or self.person(company, side), **told)

    def tell_invoice(self, company: Account, number: int, sender: Sent | None = None) -> None:
        if self.listener(company.index):
            self.tell(
                company, number, "InvoiceStatusChanged", sender, **invoice_members(company.cabinet.invoice(number))
            )

    def person(self, company: Account, side: str) -> Sent:
        world = company.book.world
        name = world.people[0 if side == "Customer" else -1]
        return {"Name": name, "Phone": f"{world.phone}0000", "Type": side}

    def send_test_events(self, account: int | None = None) -> None:
        """One event of every type to a branch, as from the vendor's settings page: no such order exists."""
        for company in self.companies(account):
            if self.listener(company.index):
                for n, (action, members) in enumerate(samples(company, self._now()).items()):
                    placed = {"WorkOrderId": UNREAL + n, "BranchId": company.book.branches[0]}
                    self._send(company, placed, action, self.person(company, "Customer"), members)

    def bare_notices(self, account: int | None = None) -> None:
        """The next 3 as the vendor's sample of Accepted is: PerformedBy, but neither Sender nor ActionDate."""
        self.sender.add(Spell(account=account, times=3, rewrite=_bared))

    def strange_notices(self, account: int | None = None) -> None:
        """The next 3 have an action and members that nobody knows."""
        self.sender.add(Spell(account=account, times=3, rewrite=_made_strange))

    def set_time_digits(self, digits: str, account: int | None = None) -> None:
        """Fractions of the second from now on, in notifications and LastUpdate: 0 to 7 digits; empty: 7 in
        notifications, none in LastUpdate."""
        wanted = int(digits) if digits else None
        if wanted is not None and not 0 <= wanted <= 7:
            raise ValueError("Digits are 0 to 7.")
        for company in self.companies(account):
            company.book.digits = wanted

    def _now(self) -> str:
        return written(self.clock.now())

    def _tell_of(self, company: Account, number: int, before: str | None) -> None:
        if not self.listener(company.index):
            return
        status = company.book.status(number)
        if before is None:
            self.tell(company, number, "NewWorkOrder", **_new(company, number))
        elif status == before:
            self.tell(company, number, "CompletionInfoChanged", self.person(company, "CorrigoPro"))
        else:
            self.tell_status(company, number)

    def _send(self, company: Account, placed: Sent, action: str, sender: Sent, members: Sent) -> None:
        now, digits = self.clock.now(), company.book.digits
        header = {
            **placed,
            "Sender": sender,
            "Action": action,
            "ActionDate": written(now, fraction_of(now, 7 if digits is None else digits)),
            "ApiVersion": "1.1",
            "MessageId": str(uuid.uuid4()),
        }
        self.sender.send(
            Notice(
                account=company.index,
                event=action,
                url=self.listener(company.index),
                body=json.dumps({"Header": header, **members}, ensure_ascii=False).encode(),
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Expect": "100-continue",
                    "Connection": "Keep-Alive",
                    "Event-Type": action,
                },
                id=header["MessageId"],
            )
        )


def status_members(action: str, status: str, comment: str, now: str) -> Sent:
    """Beside the header, for an action that ends in a status. CheckedOut does not say its status."""
    if action == "CheckedOut":
        empty: Sent = {"RepairInfo": None, "CustomFields": [], "Procedures": [], "CheckList": []}
        return {"Comment": comment, "Location": None, **empty}
    if action == "NeedsCompletionDetails":
        return {"Status": status}
    if action == "WorkVerified":
        feedback = {"TimeStamp": now, "Actor": "Customer", "Comment": comment or "Good work.", "Type": "Positive"}
        return {"Status": status, "Feedback": feedback}
    return {"Status": status, **({"Location": None} if action in PLACED else {}), "Comment": comment}


def invoice_members(invoice: Sent) -> Sent:
    """The four last only when it is authorised or paid."""
    told = {"Status": invoice["Status"], "Comment": invoice["CustomerComment"]}
    if invoice["Status"] not in ("Authorized", "Paid"):
        return told
    return told | {
        "AuthNumber": f"A{invoice['ConcurrencyId']:05}",
        "CheckNumber": invoice["CheckNumber"],
        "Amount": invoice["TotalAmount"],
        "PaidDate": invoice["PaymentDate"],
    }


def samples(company: Account, now: str) -> dict[str, Sent]:
    """What a test event of every type says beside its header."""
    order, place = company.book.detail(0), {"Latitude": 39.7392, "Longitude": -104.9903}
    attachment: Sent = {"AttachmentId": str(uuid.UUID(int=UNREAL)), "Name": "test.jpg", "MimeType": "image/jpeg"}
    attachment |= {"Size": 1024, "Subtype": "Picture"}
    repair = {"CodeId": 2, "Code": "Checked, OK", "CategoryId": 1, "Category": "General"}
    fields = [{"Id": "17", "Label": "Gas used", "Value": "R-410A"}]
    paid: Sent = {"Status": "Paid", "Comment": None, "AuthNumber": "A00001", "CheckNumber": "10001", "Amount": 350}
    by_status = {
        action: status_members(action, status, "Test event", now) for status, (action, _) in STATUS_ACTIONS.items()
    }
    return {
        "NewWorkOrder": {"Details": order | {"WorkOrderId": UNREAL}, "Attachments": [attachment]},
        **by_status,
        "CheckedIn": by_status["CheckedIn"] | {"Location": place},
        "Paused": by_status["Paused"] | {"Location": place},
        "CheckedOut": by_status["CheckedOut"] | {"Location": place, "RepairInfo": repair, "CustomFields": fields},
        "CompletionInfoChanged": {},
        "SlaChanged": {"Sla": sla(order)},
        "NteChanged": {"Amount": 500},
        "QuoteChanged": {"Quote": {"Amount": 350, "QuoteStatus": "Approved", "Comment": "Go ahead."}},
        "InvoiceStatusChanged": paid | {"PaidDate": now},
        "AppointmentInfoChanged": {"Appointment": {"ScheduledStart": now, "Pte": "Appointment"}},
        "AttachmentAdded": attachment,
        "AttachmentRemoved": {"AttachmentId": attachment["AttachmentId"]},
        "MessageSent": {"Text": "Test event"},
        "ProcedureMarked": {"ProcedureId": 1, "IsMarkedNa": True},
        "ProcedureUpdated": {},
        "CheckListUpdated": {},
        "CheckListMigratedToProcedure": {},
        "AdditionalFieldDescriptorUpdated": {},
        "IsmStatusChanged": {},
    }


def sla(row: Sent) -> Sent:
    """As SlaChanged tells it: without PriorityId."""
    return {name: value for name, value in row["Sla"].items() if name != "PriorityId"}


def _new(company: Account, number: int) -> Sent:
    return {"Details": company.book.detail(number), "Attachments": company.cabinet.attachments(number)}


def _rewritten(notice: Notice, change: Callable[[Sent], object]) -> Notice:
    body = json.loads(notice.body)
    change(body)
    return replace(notice, body=json.dumps(body, ensure_ascii=False).encode())


def _bared(notice: Notice) -> Notice:
    def bare(body: Sent) -> None:
        sender = body["Header"].pop("Sender")
        del body["Header"]["ActionDate"]
        body["Header"]["PerformedBy"] = {"Name": sender["Name"], "Phone": sender["Phone"]}

    return _rewritten(notice, bare)


def _made_strange(notice: Notice) -> Notice:
    def change(body: Sent) -> None:
        body["Header"] |= {"Action": "SomethingNew", "Mood": "good"}
        body["Extra"] = {"Unheard": ["of"]}

    strange = _rewritten(notice, change)
    return replace(strange, headers={**strange.headers, "Event-Type": "SomethingNew"})
