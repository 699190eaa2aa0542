"""What can be done to the sandbox's work orders through the API, with the statuses it is allowed in and its refusals.

A-14 Check-out from CheckedIn and Accepted; work-done details lead from NeedsCompletionDetails to CheckedOut.
A-25 The pattern of the bodies: WorkOrderId, what the action is about, PerformedBy; the answer is the message id.
A-29 Reopening through the API from CheckedOut and Verified only: the page on it says completed, 3001 otherwise.
A-30 Which customers allow what, for nothing tells it: by their place in the list (`Policy`).
A-31 Details are complete with a comment and repair information. An unknown repair code or custom field is 3003.
A-32 A second quote before the customer's answer is 3000. Refused backdating is 3000.
A-33 The bodies' members Appointment, AdditionalField (1 and 2 exist), WorkOrderIds, AssociateIds; Results in answers.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.corrigopro import sandbox_bodies as bodies
from integrations.vendors.corrigopro.sandbox_bodies import GONE, Mistake, Refusal
from integrations.vendors.corrigopro.sandbox_door import Account
from integrations.vendors.corrigopro.sandbox_reads import Reads
from integrations.vendors.corrigopro.sandbox_story import is_pre_billed, written

COMPLETED = ("CheckedOut", "Verified")
UNDER_WAY = ("Accepted", "CheckedIn", "Paused", "OnHold")
FIELDS = {1: "Purchase order", 2: "Gate code"}
Body = dict[str, Any]
Act = Callable[[Account, int, Body], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a customer allows."""

    reopening: bool
    backdating: bool
    quotes: bool


def policy(customer: int) -> Policy:
    """Of the customer in that place of the company's list."""
    return Policy(reopening=customer % 4 != 3, backdating=customer % 3 != 0, quotes=customer % 5 != 4)


class Actions(Reads):
    """One action at a time: of two that shut each other out, the second is refused. With `echoing` accounts are told of
    their own actions too; the hub says both that this is so and that it is not."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._acting = threading.RLock()
        self.echoing: set[int] = set()

    def echo_actions(self, account: int | None = None) -> None:
        """What is done through the API is notified too, or no more."""
        self.echoing ^= {company.index for company in self.companies(account)}

    @route("PUT", "/{region}/Direct/api/workOrder/accept")
    def accept(self, request: Request, region: str) -> Reply:
        return self.act(request, "workOrder/accept", region, self._accept)

    @route("PUT", "/{region}/Direct/api/workOrder/reject")
    def reject(self, request: Request, region: str) -> Reply:
        return self.act(request, "workOrder/reject", region, self._reject)

    @route("PUT", "/{region}/Direct/api/workOrder/checkIn")
    def check_in(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            self._from(account, number, "Accepted", "Paused")
            self._on_site(account, number, body, "CheckedIn")

        return self.act(request, "workOrder/checkIn", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/pause")
    def pause(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            self._from(account, number, "CheckedIn")
            self._on_site(account, number, body, "Paused")

        return self.act(request, "workOrder/pause", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/checkOut")
    def check_out(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            self._from(account, number, "CheckedIn", "Accepted")
            details = self._details(account, number, body)
            is_short = account.book.story(number).is_planned and not (details["Comment"] and details["RepairInfo"])
            status = "NeedsCompletionDetails" if is_short else "CheckedOut"
            self._on_site(account, number, body, status, **({} if is_short else details))

        return self.act(request, "workOrder/checkOut", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/workDoneDetails")
    def work_done_details(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            self._from(account, number, "NeedsCompletionDetails")
            bodies.text(body, "Comment", is_required=True)
            bodies.part(body, "RepairInfo", is_required=True)
            self._details(account, number, body)
            account.book.turn(number, "CheckedOut", self.clock.now())
            self.echo(account, number, "CompletionInfoChanged", body)

        return self.act(request, "workOrder/workDoneDetails", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/reopen")
    def reopen(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            self._from(account, number, *COMPLETED)
            if not policy(account.book.customer_of(number)).reopening:
                raise Refusal(3000, "The customer's system cannot reopen work orders.")
            self._turn_by_us(account, number, body, "New")

        return self.act(request, "workOrder/reopen", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/quoteSubmit")
    def submit_quote(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            book, asked = account.book, bodies.amount(body, "Amount") or 0
            comment = bodies.text(body, "Comment")
            if asked <= 0:
                raise Mistake("Amount", "OutOfRange", "Amount must be more than 0")
            if book.status(number) == "Rejected":
                raise Refusal(3001, "The work order is Rejected.")
            if not policy(book.customer_of(number)).quotes:
                raise Refusal(3004, "The customer does not allow quotes.")
            if book.quotes.get(number, {}).get("QuoteStatus") in ("Submitted", "Approved"):
                raise Refusal(3000, "A quote has been submitted already.")
            book.quotes[number] = {"Amount": asked, "Comment": comment, "QuoteStatus": "Submitted"}
            book.stir(number, self.clock.now())
            self.echo(account, number, "QuoteChanged", body, Quote=book.quotes[number])

        return self.act(request, "workOrder/quoteSubmit", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/appointmentInfo")
    def appointment(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            wanted = bodies.part(body, "Appointment", is_required=True)
            start = bodies.moment(wanted, "ScheduledStart")
            kinds = ("CallFirst", "Appointment", "PTE", "NotApplicable", "Unknown")
            kind = bodies.one_of(wanted, "Pte", kinds, "Appointment")
            self._from(account, number, "New", *UNDER_WAY)
            told = {"ScheduledStart": written(start) if start else None, "Pte": kind}
            account.book.appointments[number] = told
            account.book.stir(number, self.clock.now())
            self.echo(account, number, "AppointmentInfoChanged", body, Appointment=told)

        return self.act(request, "workOrder/appointmentInfo", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/note")
    def note(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            words, person = bodies.text(body, "InternalNote", is_required=True), bodies.performer(body)
            told = {"InternalNote": words, "UpdatedBy": person["Name"], "DtStemp": written(self.clock.now())}
            account.cabinet.notes[number].append(told)
            self._stir(account, number)

        return self.act(request, "workOrder/note", region, act)

    @route("PUT", "/{region}/Direct/api/workOrder/additionalField")
    def additional_field(self, request: Request, region: str) -> Reply:
        def act(account: Account, number: int, body: Body) -> None:
            field, person = bodies.whole(body, "AdditionalField"), bodies.performer(body)
            told = {"Value": bodies.text(body, "Value"), "URLLabel": bodies.text(body, "URLLabel") or None}
            if field not in FIELDS:
                raise Refusal(3003, "Additional field not found.")
            named = {"AdditionalField": field, "FieldLabel": FIELDS[field], **told}
            account.book.additional.setdefault(number, {})[field] = named
            account.book.stir(number, self.clock.now())
            said = {**told, "DtStemp": written(self.clock.now()), "UpdatedBy": person["Name"]}
            account.cabinet.field_history[number, field].append(said)

        return self.act(request, "workOrder/additionalField", region, act)

    def act(self, request: Request, path: str, region: str, act: Act) -> Reply:
        """Do it to the order that the body names."""

        def answer(account: Account, body: Body) -> Reply:
            wanted = bodies.whole(body, "WorkOrderId")
            with self._acting:
                act(account, self.order_of(account, wanted), body)
            return Reply.json({"MessageId": body["MessageId"]})

        return self.posted(request, path, region, answer)

    def order_of(self, account: Account, order: int) -> int:
        number = account.book.number_of(order)
        if number is None or account.book.status(number) == "Recalled":
            raise Refusal(3005, GONE)
        return number

    def echo(self, account: Account, number: int, action: str, body: Body, **members: object) -> None:
        if account.index in self.echoing:
            self.tell(account, number, action, bodies.performer(body), **members)

    def _accept(self, account: Account, number: int, body: Body) -> None:
        self._from(account, number, "New")
        if is_pre_billed(number):
            raise Refusal(3002, "A pre-billed work order cannot be accepted. Submit its invoice.")
        self._turn_by_us(account, number, body, "Accepted")

    def _reject(self, account: Account, number: int, body: Body) -> None:
        bodies.text(body, "Comment", is_required=True)
        self._from(account, number, "New")
        self._turn_by_us(account, number, body, "Rejected")

    def _from(self, account: Account, number: int, *statuses: str) -> None:
        status = account.book.status(number)
        if status not in statuses:
            raise Refusal(3001, f"The work order is {status}; this needs {' or '.join(statuses)}.")

    def _on_site(self, account: Account, number: int, body: Body, status: str, **members: object) -> None:
        """Done by someone on the spot, now or, where the customer allows it, earlier."""
        place, happened = bodies.location(body), bodies.moment(body, "ActualActionDate")
        if happened and not policy(account.book.customer_of(number)).backdating:
            raise Refusal(3000, "The customer does not allow an actual date.")
        if happened and happened > self.clock.now():
            raise Mistake("ActualActionDate", "OutOfRange", "ActualActionDate is in the future")
        told = {} if status == "NeedsCompletionDetails" else {"Location": place}
        self._turn_by_us(account, number, body, status, **told, **members)

    def _turn_by_us(self, account: Account, number: int, body: Body, status: str, **members: object) -> None:
        comment, person = bodies.text(body, "Comment"), bodies.performer(body)
        account.book.turn(number, status, self.clock.now())
        if account.index in self.echoing:
            self.tell_status(account, number, comment, person, **members)

    def _details(self, account: Account, number: int, body: Body) -> Body:
        """What was done, as an event tells it."""
        settings = account.cabinet.settings(account.book.customer_of(number))
        repair, told = bodies.part(body, "RepairInfo"), None
        if repair:
            code, category = bodies.whole(repair, "CodeId"), bodies.whole(repair, "CategoryId")
            names = {
                (one["Id"], each["Id"]): (one["Name"], each["Name"])
                for one in settings["RepairCategories"]
                for each in one["Codes"]
            }
            if (category, code) not in names:
                raise Refusal(3003, "Repair code not found.")
            named = names[category, code]
            told = {"CodeId": code, "Code": named[1], "CategoryId": category, "Category": named[0]}
        labels = {field["Id"]: field["Label"] for field in settings["CustomFields"]}
        given = bodies.parts(body, "CustomFields")
        if any(str(field.get("Id")) not in labels for field in given):
            raise Refusal(3003, "Custom field not found.")
        fields = [
            {"Id": str(field["Id"]), "Label": labels[str(field["Id"])], "Value": field.get("Value")} for field in given
        ]
        return {"Comment": bodies.text(body, "Comment"), "RepairInfo": told, "CustomFields": fields}
