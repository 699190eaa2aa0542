"""What people at CorrigoPro and its customers do: every deed changes an account's data, deterministically, and is told
to the company's listener.

A-14 An order is put on hold from New, Accepted, CheckedIn or Paused, recalled from whatever is open, checked out by
telephone from where it can be checked out.
"""

from collections.abc import Callable
from typing import ClassVar

from integrations.vendors.corrigopro.sandbox_door import Account
from integrations.vendors.corrigopro.sandbox_events import Events, sla

OPEN = ("New", "Accepted", "CheckedIn", "Paused", "OnHold")
LATELY = 14  # days; deeds are done to orders that changed within
Choice = Callable[[Account, int], bool]


class People(Events):
    """Deeds. `account` None means at every company; `order` is the id of the order to do it to, empty: one is chosen.
    Raises ValueError when it cannot be done to that order.

    With `is_silent` what hangs on an order changes without the order saying so: whether `LastUpdate` moves then is not
    documented."""

    is_silent = False
    _deeds = 0
    mishaps: ClassVar[tuple[str, ...]] = (
        "create_order",
        "advance_order",
        "change_several_at_once",
        "put_on_hold",
        "check_out_by_phone",
        "recall_order",
        "reopen_order",
        "verify_order",
        "move_due_date",
        "raise_limit",
        "lose_order",
        "answer_quote",
        "add_attachment",
        "remove_attachment",
        "send_message",
        "move_invoice_on",
        "authorize_invoice",
        "pay_invoice",
        "dispute_invoice",
        "tick_step",
        "add_custom_field",
        "lose_customer",
        "hire_associate",
        "let_associate_go",
    )

    def create_order(self, account: int | None = 0) -> None:
        """A customer sends one more order."""
        for company in self.companies(account):
            company.book.add(self.clock.now())

    def advance_order(self, account: int | None = 0, order: str = "") -> None:
        """One open order goes on to its next status."""
        for company, number in self._each(account, "advance", _in(*OPEN), order):
            company.book.advance(number, self.clock.now())

    def change_several_at_once(self, account: int | None = 0) -> None:
        """Five orders change in the same second."""
        now = self.clock.now()
        for company in self.companies(account):
            for turn in range(5):
                number = self._choose(company, f"at once {turn}")
                if number is not None:
                    company.book.stir(number, now)
                    self.tell(company, number, "CompletionInfoChanged")

    def put_on_hold(self, account: int | None = 0, order: str = "") -> None:
        fits = _in("Accepted", "CheckedIn", "Paused", "New")
        self._turn("OnHold", "Waiting for the landlord.", self._each(account, "hold", fits, order))

    def check_out_by_phone(self, account: int | None = 0, order: str = "") -> None:
        """A technician checks out over the telephone (IVR): the details are still missing."""
        self._turn("NeedsCompletionDetails", "", self._each(account, "phone", _in("CheckedIn", "Accepted"), order))

    def recall_order(self, account: int | None = 0, order: str = "") -> None:
        """The customer withdraws an order: whatever is done to it is refused then (3005)."""
        self._turn("Recalled", "No longer needed.", self._each(account, "recall", _in(*OPEN), order))

    def reopen_order(self, account: int | None = 0, order: str = "") -> None:
        """A finished order is new again."""
        fits = _in("CheckedOut", "OnHold")
        self._turn("New", "It is broken again.", self._each(account, "reopen", fits, order))

    def verify_order(self, account: int | None = 0, order: str = "") -> None:
        self._turn("Verified", "", self._each(account, "verify", _in("CheckedOut"), order))

    def move_due_date(self, account: int | None = 0, order: str = "") -> None:
        for company, number in self._each(account, "due", _in(*OPEN), order):
            company.book.delay(number, 2, self.clock.now())
            self.tell(company, number, "SlaChanged", Sla=sla(company.book.row(number)))

    def raise_limit(self, account: int | None = 0, order: str = "") -> None:
        """The customer agrees to more: not to exceed."""
        for company, number in self._each(account, "limit", _in(*OPEN), order):
            company.book.limit(number, 4321.5, self.clock.now())
            self.tell(company, number, "NteChanged", Amount=4321.5)

    def answer_quote(self, account: int | None = 0, order: str = "", answer: str = "") -> None:
        """A submitted quote is approved (then its amount is what the order may cost, which is not told apart), or
        with any `answer` rejected with those words. Where none is submitted, one is asked for."""
        for company, number in self._each(account, "quote", _in(*OPEN), order):
            book, quote = company.book, company.book.quotes.get(number)
            if quote is None or quote["QuoteStatus"] != "Submitted":
                book.quotes[number] = {"Amount": 0, "Comment": answer or "Please quote.", "QuoteStatus": "Requested"}
            elif answer:
                book.quotes[number] = quote | {"Comment": answer, "QuoteStatus": "Rejected"}
            else:
                book.quotes[number] = quote | {"QuoteStatus": "Approved"}
                book.limit(number, quote["Amount"], self.clock.now())
            book.stir(number, self.clock.now())
            self.tell(company, number, "QuoteChanged", Quote=book.quotes[number])

    def lose_order(self, account: int | None = 0, order: str = "") -> None:
        """An order is no longer there: neither search nor details know it. Nobody is told."""
        for company, number in self._each(account, "lose", order=order):
            company.book.vanished.add(number)

    def add_attachment(self, account: int | None = 0, order: str = "") -> None:
        for company, number in self._each(account, "add file", order=order):
            before = {one["AttachmentId"] for one in company.cabinet.attachments(number)}
            company.cabinet.files[number] += 1
            self._stir(company, number)
            for added in company.cabinet.attachments(number):
                if added["AttachmentId"] not in before:
                    self.tell(company, number, "AttachmentAdded", **added)

    def remove_attachment(self, account: int | None = 0, order: str = "") -> None:
        """A customer deletes a file. Attachments really go."""
        for company, number in self._each(account, "remove file", _has_files, order):
            gone = company.cabinet.attachments(number)[0]["AttachmentId"]
            company.cabinet.removed.add(gone)
            self._stir(company, number)
            self.tell(company, number, "AttachmentRemoved", AttachmentId=gone)

    def send_message(self, account: int | None = 0, order: str = "") -> None:
        for company, number in self._each(account, "message", order=order):
            said = company.cabinet.say(number)
            self._stir(company, number)
            self.tell(company, number, "MessageSent", said["Sender"], Text=said["Text"])

    def move_invoice_on(self, account: int | None = 0, order: str = "") -> None:
        """An invoice is submitted, authorised or paid: its next stage."""
        for company, number in self._each(account, "invoice", _in("CheckedOut", "Verified"), order):
            company.cabinet.go_on(number)
            self._stir(company, number)
            self.tell_invoice(company, number)

    def authorize_invoice(self, account: int | None = 0, order: str = "") -> None:
        fits = _invoiced("Submitted", "PendingVerification")
        self._decide("Authorized", self._each(account, "authorize", fits, order))

    def pay_invoice(self, account: int | None = 0, order: str = "") -> None:
        self._decide("Paid", self._each(account, "pay", _invoiced("Authorized"), order))

    def dispute_invoice(self, account: int | None = 0, order: str = "") -> None:
        self._decide("Disputed", self._each(account, "dispute", _in("CheckedOut", "Verified"), order))

    def tick_step(self, account: int | None = 0, order: str = "") -> None:
        for company, number in self._each(account, "tick", _has_procedures, order):
            company.cabinet.ticks[number] += 1
            self._stir(company, number)
            self.tell(company, number, "ProcedureUpdated", self.person(company, "CorrigoPro"))

    def add_custom_field(self, account: int | None = 0) -> None:
        for company in self.companies(account):
            company.cabinet.fields[company.book.customers()[0]] += 1
            self.tell(company, None, "AdditionalFieldDescriptorUpdated")

    def lose_customer(self, account: int | None = 0) -> None:
        """A customer no longer works with us; its old orders stay."""
        for company in self.companies(account):
            if len(company.book.customers()) > 3:
                company.book.left.add(company.book.customers()[-1])

    def hire_associate(self, account: int | None = 0) -> None:
        for company in self.companies(account):
            company.cabinet.hired[company.book.branches[0]] += 1

    def let_associate_go(self, account: int | None = 0) -> None:
        for company in self.companies(account):
            branch = company.book.branches[0]
            gone = sum(1 for place, _ in company.cabinet.let_go if place == branch)
            if gone < 5:
                company.cabinet.let_go.add((branch, gone))

    def keep_silent(self) -> None:
        """What hangs on orders changes without moving their LastUpdate, or with it again."""
        self.is_silent = not self.is_silent

    def _turn(self, status: str, comment: str, chosen: list[tuple[Account, int]]) -> None:
        for company, number in chosen:
            company.book.turn(number, status, self.clock.now())
            self.tell_status(company, number, comment)

    def _decide(self, status: str, chosen: list[tuple[Account, int]]) -> None:
        for company, number in chosen:
            company.cabinet.set_status(number, status)
            self._stir(company, number)
            self.tell_invoice(company, number)

    def _stir(self, company: Account, number: int) -> None:
        if not self.is_silent:
            company.book.stir(number, self.clock.now())

    def _each(
        self, account: int | None, deed: str, fits: Choice = lambda at, number: True, order: str = ""
    ) -> list[tuple[Account, int]]:
        """One order of each company on which the deed can be done; or the one that is meant, wherever it is."""
        companies = self.companies(account)
        if not order:
            chosen = [(company, self._choose(company, deed, fits)) for company in companies]
            return [(company, number) for company, number in chosen if number is not None]
        for company in companies:
            number = company.book.number_of(int(order))
            if number is not None and fits(company, number):
                return [(company, number)]
        raise ValueError(f"This cannot be done to order {order}.")

    def _choose(self, company: Account, deed: str, fits: Choice = lambda at, number: True) -> int | None:
        """The order a deed is done to, among those of the beginning that changed lately; another one each time."""
        book = company.book
        self._deeds += 1
        first = book.dice(self._deeds, deed).randrange(max(len(book), 1))
        for step in range(min(len(book), 500)):
            number = (first + step) % len(book)
            is_there = number not in book.vanished and book.created[number] < self.epoch
            if is_there and (self.clock.now() - book.last_update(number)).days < LATELY and fits(company, number):
                return number
        return None


def _in(*statuses: str) -> Choice:
    return lambda at, number: at.book.status(number) in statuses


def _invoiced(*statuses: str) -> Choice:
    return lambda at, number: at.cabinet.status(number) in statuses


def _has_files(company: Account, number: int) -> bool:
    return bool(company.cabinet.attachments(number))


def _has_procedures(company: Account, number: int) -> bool:
    return bool(company.book.procedures(number))
