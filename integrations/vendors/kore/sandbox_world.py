"""What one customer of the emulated KORE has: deals, their bills and payments, worked out from numbers.

A bill's number says everything: the deal it belongs to (bills go round the deals, instalment by instalment) and its
payment, which has the same number. So the first instalments are paid, the next are billed, the last are yet to come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.vendors.kore.sandbox_data import Customer, Row, Table, bare_date, pick, system_time
from integrations.vendors.kore.sandbox_rest import Plan, plans

METHODS = ("Check", "ACH", "Wire", "Credit card", "Trade")
FIRST = [
    "Aldgate",
    "Bellweather",
    "Cobalt",
    "Delmar",
    "Evergreen",
    "Fairmont",
    "Granite",
    "Halcyon",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Lakeshore",
    "Meridian",
    "Northwind",
    "Oakline",
    "Pinnacle",
    "Quarry",
    "Redwood",
    "Silverline",
    "Tidewater",
    "Unity",
    "Vantage",
    "Westbrook",
    "Yarrow",
    "Zephyr",
    "Brightwell",
]
TRADES = [
    "Bank",
    "Insurance",
    "Brewing",
    "Motors",
    "Airlines",
    "Telecom",
    "Energy",
    "Health",
    "Foods",
    "Coffee",
    "Logistics",
    "Software",
    "Credit Union",
    "Outfitters",
    "Hotels",
    "Law",
    "Dental",
    "Beverages",
    "Building Supply",
    "Pharmacy",
]
PACKAGES = [
    "Jersey patch",
    "Founding partner",
    "LED board",
    "Naming rights",
    "Matchday hospitality",
    "Courtside signage",
    "Broadcast",
    "Community programme",
    "Training kit",
    "Concourse activation",
    "Digital and social",
    "Official supplier",
]
FEES = (3_500, 4_800, 6_250, 8_000, 12_500, 15_000, 18_750, 25_000, 32_000, 45_000, 62_500, 90_000, 140_000)
# Every how many ticks one of them changes; the other entities stand still.
MOVING = {"deals": 10, "billings": 1, "billing-payments": 2, "deal-lines": 15, "expenses": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a deal and all its bills share. `fee` is that of one instalment."""

    account_id: str
    account_name: str
    name: str
    start: datetime
    fee: float


class World:
    """All tables of one customer with `bills` bills at the start; deals are a tenth, payments 60 % of that."""

    def __init__(
        self, who: Customer, bills: int, *, seed: int, epoch: datetime, change_every: timedelta | None
    ) -> None:
        self.who, self.epoch = who, epoch
        deals = max(1, bills // 10)
        drafts = deals // 30
        self._running = deals - drafts
        self._draft_bills = range(bills - 4 * drafts, bills)
        self._bills_of_new_deals: dict[int, tuple[int, int]] = {}
        self._known_terms: dict[int, Terms] = {}
        self.signed: set[int] = set()  # deals that began as drafts
        self.reopened: set[int] = set()  # deals that did not
        self.voided: set[int] = set()  # bills
        self.pays_silently = False  # a payment leaves its bill's change date alone (K-11)
        self.tables: dict[str, Table] = {}
        wanted = {
            "deals": Plan(size=deals, make=self._deal),
            "billings": Plan(size=bills, make=self._billing, link=self._links_of_bill),
            "billing-payments": Plan(size=bills * 3 // 5, make=self._payment, link=self._links_of_payment),
            **plans(deals, epoch, who.currency, self.tables, lambda deal: self._terms(deal).fee),
        }
        for place, (entity, plan) in enumerate(wanted.items()):
            self.tables[entity] = Table(
                entity,
                f"{seed}/{who.client_id}",
                make=plan.make,
                link=plan.link,
                size=plan.size,
                seed=seed * 100 + who.number * 20 + place,
                epoch=epoch,
                change_every=change_every * MOVING[entity] if change_every and entity in MOVING else None,
            )
        self.deals, self.billings = self.tables["deals"], self.tables["billings"]
        self.payments = self.tables["billing-payments"]

    def catch_up(self, now: datetime) -> None:
        """Carry out what is due."""
        before = len(self.payments)
        for entity in MOVING:
            self.tables[entity].catch_up(now)
        for number in range(before, len(self.payments)):
            self.settle(number)

    def settle(self, payment: int) -> None:
        """A new payment changes its bill, whose change date mostly moves with it."""
        bill = self._bill_of(payment)
        if self.pays_silently:
            self.billings.version[bill] += 5  # another row with the same due date, see `_billing`
        else:
            self.billings.touch(bill, self.payments.created[payment])

    def add_draft_deal(self, bills: int, at: datetime) -> int:
        """A deal that is not signed yet, with its bills; its number."""
        deal = self.deals.add(at)
        for instalment in range(bills):
            self._bills_of_new_deals[len(self.billings)] = deal, instalment
            self.billings.add(at)
        return deal

    def delete_deal(self, deal: int) -> None:
        """With everything that hangs on it."""
        gone = self.deals.ids[deal]
        self.deals.delete(deal)
        for table in self.tables.values():
            if "deal_id" in table.types:
                for number in [one for one in table.number_of.values() if table.link(one)["deal_id"] == gone]:
                    table.delete(number)

    def is_draft(self, deal: int) -> bool:
        return deal not in self.signed if self._began_as_draft(deal) else deal in self.reopened

    def _began_as_draft(self, deal: int) -> bool:
        return deal >= self._running

    def _deal_of(self, bill: int) -> tuple[int, int]:
        """The deal and which of its instalments the bill is, from 0."""
        if bill in self._bills_of_new_deals:
            return self._bills_of_new_deals[bill]
        if bill in self._draft_bills:
            place = bill - self._draft_bills.start
            return self._running + place // 4, place % 4
        return bill % self._running, bill // self._running

    def _bill_of(self, payment: int) -> int:
        return payment % len(self.billings)

    def _links_of_bill(self, number: int) -> Row:
        return {"deal_id": self.deals.ids[self._deal_of(number)[0]]}

    def _links_of_payment(self, number: int) -> Row:
        return {"billing_id": self.billings.ids[self._bill_of(number)]}

    def _terms(self, deal: int) -> Terms:
        if deal not in self._known_terms:
            dice = self.deals.dice(deal, "terms")
            number, days = dice.randrange(len(FIRST) * len(TRADES)), dice.randrange(24)
            start = self.epoch + timedelta(days=20 + days if self._began_as_draft(deal) else -days - 190)
            account = f"{FIRST[number % len(FIRST)]} {TRADES[number // len(FIRST)]}"
            self._known_terms[deal] = Terms(
                account_id=self.deals.guid(number, "accounts"),
                account_name=account,
                name=f"{account} – {dice.choice(PACKAGES)} {start.year}",
                start=start,
                fee=float(dice.choice(FEES)),
            )
        return self._known_terms[deal]

    def _deal(self, number: int) -> Row:
        terms, version = self._terms(number), self.deals.version[number]
        roll = (self.deals.roll(number, "status")[0] + version) % 20
        status = pick(1, "Draft") if self.is_draft(number) else pick(3, "Signed")
        if roll in (3, 9, 7) and not self.is_draft(number):
            status = pick(4, "Cancelled") if roll == 7 else pick(2, "Pending approval")
        return {
            "name": terms.name,
            "created_date": self._made_at(self.deals, number, terms.start),
            "deal_number": f"D-{10_000 + number}",
            "account_id": terms.account_id,
            "account_name": terms.account_name,
            "status": status,
            "start_date": bare_date(terms.start),
            "end_date": bare_date(terms.start + timedelta(days=364 + version)),
            "kick_off_time": (terms.start + timedelta(hours=19, minutes=30)).strftime("%Y-%m-%dT%H:%M:%S"),
            "total_amount": terms.fee * (4 if self._began_as_draft(number) else 10),
            # Of a customer whose bills name no currency, every other deal does.
            "currency": self.who.currency if self.who.tells_all or number % 2 else None,
        }

    def _billing(self, number: int) -> Row:
        deal, instalment = self._deal_of(number)
        terms = self._terms(deal)
        roll = self.billings.roll(number, "bill")
        billed = self._billed_at(number)
        due = billed + timedelta(days=(14, 30, 30, 45)[roll[0] % 4] + 7 * (self.billings.version[number] % 5))
        total = self._total(number)
        is_invoiced = billed <= self.billings.modified[number] or billed <= self.epoch
        paid = self._paid(number, total)
        payment = pick(0, "Unpaid" if is_invoiced else "Scheduled")
        if paid:
            payment = pick(2, "Paid") if paid >= total else pick(1, "Partially Paid")
        return {
            "name": f"{terms.name} – Bill {instalment + 1}",
            "created_date": self._made_at(self.billings, number, terms.start),
            "bill_number": f"B-{100_000 + number}",
            "account_id": terms.account_id,
            "account_name": terms.account_name if self.who.tells_all else None,
            "bill_type_id": self.tables["billing-types"].ids[max(0, roll[2] % 24 - 18)],
            "billing_batch_id": self.tables["billing-batches"].ids[billed.month - 1],
            "bill_date": bare_date(billed),
            "due_date": bare_date(due),
            "amount": terms.fee,
            "tax_amount": round(total - terms.fee, 2),
            "total_amount": total,
            "invoiced_amount": total if is_invoiced else 0.0,
            "paid_amount": paid,
            "balance": round(total - paid, 2),
            "currency": self.who.currency if self.who.tells_all else None,
            "payment_status": payment,
            "paid_date": self._paid_date(number) if paid >= total else None,
            "invoice_number": f"{billed.year}-{5_000 + number}" if is_invoiced else None,
            "division_id": self.tables["divisions"].ids[roll[4] % 3],
            "state": pick(1, "Inactive") if number in self.voided or (not paid and roll[3] < 8) else pick(0, "Active"),
        }

    def _made_at(self, table: Table, number: int, start: datetime) -> str:
        """Some weeks before the deal began, for what was there at the start."""
        made = table.created[number]
        return system_time(made if made >= self.epoch else min(made, start - timedelta(days=40, minutes=number % 600)))

    def _billed_at(self, bill: int) -> datetime:
        if self.billings.created[bill] >= self.epoch:  # one that came while time passed
            return self.billings.created[bill]
        deal, instalment = self._deal_of(bill)
        return self._terms(deal).start + timedelta(days=30 * instalment)

    def _total(self, bill: int) -> float:
        """The fee, with sales tax on some bills."""
        fee = self._terms(self._deal_of(bill)[0]).fee
        return round(fee * 1.07, 2) if self.billings.roll(bill, "tax")[0] < 80 else fee

    def _paid(self, bill: int, total: float) -> float:
        if not self.payments.is_there(bill):
            return 0.0
        return round(total * 0.4, 2) if self.payments.roll(bill, "bill")[0] < 26 else total

    def _paid_date(self, bill: int) -> str:
        if self.payments.created[bill] >= self.epoch:
            return bare_date(self.payments.created[bill])
        return bare_date(
            min(self._billed_at(bill) + timedelta(days=self.payments.roll(bill, "bill")[1] % 40), self.epoch)
        )

    def _payment(self, number: int) -> Row:
        bill = self._bill_of(number)
        roll, version = self.payments.roll(number, "payment"), self.payments.version[number]
        method = roll[0] % len(METHODS)
        return {
            "name": f"Payment for B-{100_000 + bill}",
            "payment_date": self._paid_date(number),
            "amount": self._paid(number, self._total(bill)),
            "payment_method": pick(method + 1, METHODS[method]),
            "reference_number": f"{METHODS[method][:2].upper()}-{int.from_bytes(roll[1:4]) % 10**6:06d}-{version}",
            "currency": self.who.currency if self.who.tells_all else None,
        }
