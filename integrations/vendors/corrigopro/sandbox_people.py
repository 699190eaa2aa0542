"""What people at CorrigoPro and its customers do: every deed changes an account's data, deterministically."""

from collections.abc import Callable
from typing import ClassVar

from integrations.vendors.corrigopro.sandbox_door import Account, Door

OPEN = ("New", "Accepted", "CheckedIn", "Paused", "OnHold")
LATELY = 14  # days; deeds are done to orders that changed within
Choice = Callable[[Account, int], bool]


class People(Door):
    """Deeds. `account` None means at every company. With `is_silent` what hangs on an order changes without the order
    saying so: whether `LastUpdate` moves then is not documented."""

    is_silent = False
    _deeds = 0
    mishaps: ClassVar[tuple[str, ...]] = (
        "create_order",
        "advance_order",
        "change_several_at_once",
        "put_on_hold",
        "recall_order",
        "reopen_order",
        "verify_order",
        "move_due_date",
        "raise_limit",
        "lose_order",
        "add_attachment",
        "remove_attachment",
        "send_message",
        "move_invoice_on",
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

    def advance_order(self, account: int | None = 0) -> None:
        """One open order goes on to its next status."""
        for company, number in self._each(account, "advance", _in(*OPEN)):
            company.book.advance(number, self.clock.now())

    def change_several_at_once(self, account: int | None = 0) -> None:
        """Five orders change in the same second."""
        now = self.clock.now()
        for company in self.companies(account):
            for turn in range(5):
                number = self._choose(company, f"at once {turn}")
                if number is not None:
                    company.book.stir(number, now)

    def put_on_hold(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "hold", _in("Accepted", "CheckedIn", "Paused", "New")):
            company.book.turn(number, "OnHold", self.clock.now())

    def recall_order(self, account: int | None = 0) -> None:
        """The customer withdraws an order; what hangs on it is no longer told (3005)."""
        for company, number in self._each(account, "recall", _in(*OPEN)):
            company.book.turn(number, "Recalled", self.clock.now())

    def reopen_order(self, account: int | None = 0) -> None:
        """A finished order is new again."""
        for company, number in self._each(account, "reopen", _in("CheckedOut", "OnHold")):
            company.book.turn(number, "New", self.clock.now())

    def verify_order(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "verify", _in("CheckedOut")):
            company.book.turn(number, "Verified", self.clock.now())

    def move_due_date(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "due", _in(*OPEN)):
            company.book.delay(number, 2, self.clock.now())

    def raise_limit(self, account: int | None = 0) -> None:
        """The customer agrees to more: not to exceed."""
        for company, number in self._each(account, "limit", _in(*OPEN)):
            company.book.limit(number, 4321.5, self.clock.now())

    def lose_order(self, account: int | None = 0) -> None:
        """An order is no longer there: neither search nor details know it."""
        for company, number in self._each(account, "lose"):
            company.book.vanished.add(number)

    def add_attachment(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "add file"):
            company.cabinet.files[number] += 1
            self._stir(company, number)

    def remove_attachment(self, account: int | None = 0) -> None:
        """A customer deletes a file. Attachments really go."""
        for company, number in self._each(account, "remove file", lambda at, n: bool(at.cabinet.attachments(n))):
            company.cabinet.removed.add(company.cabinet.attachments(number)[0]["AttachmentId"])
            self._stir(company, number)

    def send_message(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "message"):
            company.cabinet.talk[number] += 1
            self._stir(company, number)

    def move_invoice_on(self, account: int | None = 0) -> None:
        """An invoice is submitted, authorised or paid: its next stage."""
        for company, number in self._each(account, "invoice", _in("CheckedOut", "Verified")):
            company.cabinet.go_on(number)
            self._stir(company, number)

    def dispute_invoice(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "dispute", _in("CheckedOut", "Verified")):
            company.cabinet.set_status(number, "Disputed")
            self._stir(company, number)

    def tick_step(self, account: int | None = 0) -> None:
        for company, number in self._each(account, "tick", lambda at, n: bool(at.book.procedures(n))):
            company.cabinet.ticks[number] += 1
            self._stir(company, number)

    def add_custom_field(self, account: int | None = 0) -> None:
        for company in self.companies(account):
            company.cabinet.fields[company.book.customers()[0]] += 1

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

    def _stir(self, company: Account, number: int) -> None:
        if not self.is_silent:
            company.book.stir(number, self.clock.now())

    def _each(
        self, account: int | None, deed: str, fits: Choice = lambda at, number: True
    ) -> list[tuple[Account, int]]:
        """One order of each company on which the deed can be done."""
        chosen = [(company, self._choose(company, deed, fits)) for company in self.companies(account)]
        return [(company, number) for company, number in chosen if number is not None]

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
