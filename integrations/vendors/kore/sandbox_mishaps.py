"""What people at the emulated KORE do, and the switches that make it a KORE of another kind."""

from collections.abc import Callable, Iterator
from datetime import datetime

from integrations.sandbox.kit import Clock, NothingLeft
from integrations.vendors.kore.sandbox_data import Customer, Table
from integrations.vendors.kore.sandbox_world import World

RENAMED = {"total_amount": "net_total", "bill_number": "document_no", "due_date": "payable_by"}


class Mishaps:
    """Mixed into the emulator. A method with `account` acts on that customer, on every one when it is None."""

    clock: Clock
    customers: list[Customer]
    worlds: list[World]
    after_page: Callable[[str], None] | None
    _steps: int

    has_bare_state: bool
    has_naive_times: bool
    renamed: dict[str, str]
    decodes_basic = True  # id and secret are URL-decoded from Basic as from the body (K-5a)

    def edit_a_bill(self, account: int | None = 0) -> None:
        for world, now in self._world_of(account):
            world.billings.touch(self._pick(world.billings), now)

    def edit_many_at_once(self, account: int | None = 0) -> None:
        """As an import does: one change date for a fifth of all bills."""
        for world, now in self._world_of(account):
            first = self._pick(world.billings)
            for number in range(first, first + max(3, len(world.billings) // 5)):
                world.billings.touch(number, now)

    def void_a_bill(self, account: int | None = 0) -> None:
        """Deleted softly: its state changes."""
        for world, now in self._world_of(account):
            number = self._pick(world.billings)
            world.voided.add(number)
            world.billings.touch(number, now)

    def delete_a_bill(self, account: int | None = 0) -> None:
        """Deleted without a trace."""
        for world, _ in self._world_of(account):
            world.billings.delete(self._pick(world.billings))

    def record_a_payment(self, account: int | None = 0) -> None:
        for world, now in self._world_of(account):
            if len(world.payments) < len(world.billings):
                world.settle(world.payments.add(now))

    def take_back_a_payment(self, account: int | None = 0) -> None:
        for world, now in self._world_of(account):
            number = self._pick(world.payments)
            bill = world.payments.link(number)["billing_id"]
            world.payments.delete(number)
            if bill in world.billings.number_of:
                world.billings.touch(world.billings.number_of[bill], now)

    def draft_a_deal(self, account: int | None = 0) -> None:
        """A new deal, not signed yet, that has bills already."""
        for world, now in self._world_of(account):
            world.add_draft_deal(4, now)

    def sign_a_deal(self, account: int | None = 0) -> None:
        """The deal changes; its bills, which are owed from now on, do not."""
        for world, now in self._world_of(account):
            drafts = [number for number in sorted(world.deals.number_of.values()) if world.is_draft(number)]
            if drafts:
                world.signed.add(drafts[0])
                world.reopened.discard(drafts[0])
                world.deals.touch(drafts[0], now)

    def reopen_a_deal(self, account: int | None = 0) -> None:
        """A signed deal becomes a draft again."""
        for world, now in self._world_of(account):
            number = self._pick(world.deals)
            world.signed.discard(number)
            world.reopened.add(number)
            world.deals.touch(number, now)

    def delete_a_deal(self, account: int | None = 0) -> None:
        """Without a trace, and all that hangs on it."""
        for world, _ in self._world_of(account):
            world.delete_deal(self._pick(world.deals))

    def edit_a_line(self, account: int | None = 0) -> None:
        for world, now in self._world_of(account):
            lines = world.tables["deal-lines"]
            lines.touch(self._pick(lines), now)

    def change_the_calendar(self, account: int | None = 0) -> None:
        """One event is new, one is gone."""
        for world, now in self._world_of(account):
            events = world.tables["events"]
            events.delete(self._pick(events))
            events.add(now)

    def pay_silently(self, account: int | None = None) -> None:
        """From now on a payment leaves the change date of its bill alone (K-11), and there is one right away."""
        for world, now in self._world_of(account):
            world.pays_silently = True
            world.settle(world.payments.add(now))

    def edit_while_paging(self) -> None:
        """After the next page its first row is edited, and jumps to the end."""

        def edit(entity: str) -> None:
            for world in self.worlds:
                table = world.tables[entity]
                table.touch(table.by_change[0][2], self.clock.now())

        self.after_page = edit

    def show_bare_states(self) -> None:
        self.has_bare_state = not self.has_bare_state

    def drop_the_zone(self) -> None:
        self.has_naive_times = not self.has_naive_times

    def rename_fields(self) -> None:
        self.renamed = {} if self.renamed else dict(RENAMED)

    def take_basic_literally(self) -> None:
        self.decodes_basic = not self.decodes_basic

    def _world_of(self, account: int | None) -> Iterator[tuple[World, datetime]]:
        now = self.clock.now()
        for number in range(len(self.worlds)) if account is None else (account,):
            self.worlds[number].catch_up(now)
            self._steps += 1
            yield self.worlds[number], now

    def _pick(self, table: Table) -> int:
        """A row that is there, another one each time and the same ones in every run. Raises NothingLeft."""
        there = sorted(table.number_of.values())
        if not there:
            raise NothingLeft("There is nothing left that this could happen to.")
        return there[table.dice(self._steps, "mishap").randrange(len(there))]
