"""The emulated KORE's smaller entities: what hangs on deals, the inventory, and the calendar."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from integrations.vendors.kore.sandbox_data import Make, Row, Table, bare_date, pick

Tables = Mapping[str, Table]

BILL_TYPES = ("Instalment", "Signing fee", "Hospitality", "Signage production", "Media", "Adjustment")
DIVISIONS = (("First team", "1ST"), ("Arena", "ARN"), ("Academy", "ACD"))
CATEGORIES = ("Television", "Radio", "Signage", "Online", "Hospitality", "Community")
PRODUCTS = ("Founding", "Presenting", "Supporting", "Matchday")
PLACES = ("north stand", "south stand", "main entrance", "concourse")
ROLES = ("Account executive", "Account manager", "Activation")
EXPENSES = ("Production", "Travel", "Catering", "Fulfilment")
EVENT_LISTS = ("Home games", "Play-offs", "Concerts", "Friendlies", "Open days", "Galas")
GAMES = ("Regular season", "Playoff", "Friendly")
SEASONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many rows there are at the start, what they say, and what they point to."""

    size: int
    make: Make
    link: Make = lambda number: {}


def plans(deals: int, epoch: datetime, currency: str, tables: Tables, fee: Callable[[int], float]) -> dict[str, Plan]:
    """The smaller entities of a customer with so many deals; `fee` is that of a deal's instalment. `tables` may still
    be filling: it is asked only when a row is."""

    def points(**targets: tuple[str, Callable[[int], int]]) -> Make:
        """Links field=(entity, which row)."""
        return lambda number: {field: tables[entity].ids[which(number)] for field, (entity, which) in targets.items()}

    def season(number: int) -> Row:
        year = epoch.year - 2 + number
        return {"name": f"Season {year}", "year": year, "start_date": f"{year}-01-01", "end_date": f"{year}-12-31"}

    def line(number: int) -> Row:
        kind = pick(1, "Contractual") if number % 7 else pick(2, "Out of Contract")
        rate = fee(number // 2 % deals) * 5
        name = f"{CATEGORIES[number % len(CATEGORIES)]} – line {number % 2 + 1}"
        return {"name": name, "line_type": kind, "quantity": 1 + number % 12, "selling_rate": rate}

    def expense(number: int) -> Row:
        kind = number % len(EXPENSES)
        spent = epoch - timedelta(days=number % 200)
        amount = round(180 + number * 37.35 % 5_000, 2)
        return {
            "name": f"{EXPENSES[kind]} {number + 1}",
            "expense_date": bare_date(spent),
            "amount": amount,
            "currency": currency,
            "expense_type": pick(kind + 1, EXPENSES[kind]),
        }

    def allocation(number: int) -> Row:
        share = 60 if number % 2 == 0 else 40
        amount = round(expense(number // 2)["amount"] * share / 100, 2)
        return {"name": f"{DIVISIONS[number % 2][0]} {share} %", "amount": amount, "percentage": share}

    def item(number: int) -> Row:
        is_unlimited = number % 9 == 0
        return {
            "name": f"{CATEGORIES[number // 10 % 6]}, {PLACES[number % 4]} {number + 1}",
            "inventory_number": f"INV-{number + 1:04d}",
            "available_quantity": None if is_unlimited else 1 + number % 20,
            "is_unlimited": is_unlimited,
        }

    def card(number: int) -> Row:
        status = pick(2, "Expired") if number % 2 == 0 else pick(1, "Active")
        rate = 900.0 + number * 115
        return {"name": f"Rate {number + 1}", "rate": rate, "minimum_rate": rate * 0.8, "status": status}

    def event(number: int) -> Row:
        # A wall clock's time, in the night of the change to summer time too: it is never moved by a zone.
        starts = datetime(epoch.year, 3, 8, 2, 30) + timedelta(days=number * 4, hours=number % 3)  # noqa: DTZ001
        game = number % len(GAMES)
        told = {"venue_name": "City Arena" if number % 3 else "Harbour Park", "game_type": pick(game + 1, GAMES[game])}
        return {"name": f"Event {number + 1}", "event_date": starts.isoformat(), **told}

    def person(number: int) -> Row:
        role = number % len(ROLES)
        return {"name": f"Team member {number % 23 + 1}", "role": pick(role + 1, ROLES[role]), "split_percent": 100}

    def deal_season(number: int) -> Row:
        revenue = fee(number % deals) * 4
        return {"name": f"Season {epoch.year}", "revenue": revenue, "cost": round(revenue * 0.15, 2)}

    expenses = max(1, deals // 2)
    of_deal = points(deal_id=("deals", lambda n: n % deals))
    return {
        "seasons": Plan(size=SEASONS, make=season),
        "billing-types": Plan(size=len(BILL_TYPES), make=lambda n: {"name": BILL_TYPES[n % len(BILL_TYPES)]}),
        "billing-batches": Plan(
            size=12,
            make=lambda n: {
                "name": f"Run of {date(2000, n % 12 + 1, 1):%B}",
                "batch_date": f"{epoch.year}-{n % 12 + 1:02d}-01",
            },
        ),
        "divisions": Plan(
            size=len(DIVISIONS), make=lambda n: {"name": DIVISIONS[n % 3][0], "abbreviation": DIVISIONS[n % 3][1]}
        ),
        "category": Plan(size=len(CATEGORIES), make=lambda n: {"name": CATEGORIES[n % 6]}),
        "product": Plan(
            size=24,
            make=lambda n: {"name": f"{PRODUCTS[n % 4]} {CATEGORIES[n // 4 % 6].lower()}"},
            link=points(category_id=("category", lambda n: n // 4 % 6)),
        ),
        "inventory-items": Plan(
            size=60,
            make=item,
            link=points(product_id=("product", lambda n: n % 24), division_id=("divisions", lambda n: n % 3)),
        ),
        "rate-cards": Plan(
            size=120,
            make=card,
            link=points(
                inventory_item_id=("inventory-items", lambda n: n // 2 % 60),
                season_id=("seasons", lambda n: 1 + n % 2),
            ),
        ),
        "rounds": Plan(
            size=2 * SEASONS,
            make=lambda n: {"name": f"Round {n % 2 + 1}", "round_number": n % 2 + 1},
            link=points(season_id=("seasons", lambda n: n // 2 % SEASONS)),
        ),
        "event-lists": Plan(size=len(EVENT_LISTS), make=lambda n: {"name": EVENT_LISTS[n % 6]}),
        "events": Plan(
            size=80,
            make=event,
            link=points(
                season_id=("seasons", lambda n: 2),
                round_id=("rounds", lambda n: 4 + n % 2),
                event_list_id=("event-lists", lambda n: n % 6),
            ),
        ),
        "deal-lines": Plan(
            size=2 * deals,
            make=line,
            link=points(deal_id=("deals", lambda n: n // 2 % deals), rate_card_id=("rate-cards", lambda n: n % 120)),
        ),
        "deal-seasons": Plan(
            size=deals,
            make=deal_season,
            link=points(deal_id=("deals", lambda n: n % deals), season_id=("seasons", lambda n: 2)),
        ),
        "deal-rosters": Plan(size=deals, make=person, link=of_deal),
        "expenses": Plan(size=expenses, make=expense, link=of_deal),
        "expense-allocations": Plan(
            size=2 * expenses,
            make=allocation,
            link=points(
                expense_id=("expenses", lambda n: n // 2 % expenses), division_id=("divisions", lambda n: n % 2)
            ),
        ),
    }
