"""What KORE's guide leaves open and we had to assume: each default once, with the id of its assumption (README).

The guide tells how the API works, and next to nothing about the fields of its entities; K-7 is the one to check first
against a real answer.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

# K-1: there is no test system; a customer may grant a key for trying out, which then has an end.
# K-2: the API key selects the customer's data, so one key belongs to one connection.
# K-3: the scope is sent, although it may be left out.
SCOPE = "pss-api"
# K-4: a token is renewed when less than this is left of its hour; its life when the answer does not tell it.
RENEW_BEFORE = timedelta(minutes=5)
TOKEN_LIFE = timedelta(hours=1)
# K-5: the token endpoint refuses with the bodies of RFC 6749; these words mean that the credentials are wrong.
REFUSED_CREDENTIALS = frozenset({"invalid_client", "unauthorized_client"})
# K-5a: id and secret are URL-encoded before Basic joins them too (RFC 6749, 2.3.1); the guide says it of the body only.
# K-8: times in a filter are UTC and written with Z, spaces as %20: `streams` and the house's HTTP do so.
# K-9: more than the documented maximum of 100 rows a page is refused.
PAGE_SIZE = 100
# K-11: a payment may leave its bill's change date alone, so a bill is read anew when one of its payments has changed.
# K-10: read again every 30 minutes, from 5 minutes before the newest row we hold.
INTERVAL = timedelta(minutes=30)
OVERLAP = timedelta(minutes=5)
# K-10a: how often rows may slip inside one second of a reading before we say that KORE's order is not stable.
MAX_RESTARTS = 5
# K-12: what two nightly sweeps in a row did not find and what then answers 404 is gone.
SWEEP_INTERVAL = timedelta(days=1)
# Lists that change once a season, or whenever an administrator of KORE has a free afternoon.
SLOW_INTERVAL = timedelta(days=1)
# K-16: GUIDs are ordered by the database, not as text, so ids are never compared by size. K-17: nothing is written.
# K-18: how many ids one filter names. A query of 25 stays under 2,048 characters, where many servers stop reading.
IDS_PER_FILTER = 25
# K-14: a bad API key is taken to answer 401, so a refusal names both key and secret.
# K-15: no limit is documented. A careful client would keep to 2 requests a second, one at a time; a first reading
# would then take minutes. Retry-After is honoured whenever KORE sends it, so we go at this pace until told otherwise.
CALLS_PER_SECOND = 20
PARALLEL_CALLS = 1

# K-7: names of the fields that are read by us. Ours on the left; KORE's candidates on the right, the first that has a
# value wins. Documented are only `id`, `name`, `state`, `created_date`, `modified_date`, and `deal_id` on deal lines.
# A connection may name others (`field_map`). What is merely shown is named by the columns in `entities`.
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "billings": {
            "number": ("bill_number", "number", "name"),
            "title": ("name",),
            "account": ("account_name",),
            "account id": ("account_id",),
            "deal": ("deal_id",),
            "payment status": ("payment_status",),
            "state": ("state",),
            "currency": ("currency",),
            "amount": ("total_amount", "amount"),
            "tax": ("tax_amount",),
            "invoiced": ("invoiced_amount",),
            "paid": ("paid_amount",),
            "balance": ("balance",),
            "billed date": ("bill_date", "billing_date", "invoice_date"),
            "due date": ("due_date",),
            "paid date": ("paid_date",),
            "created": ("created_date",),
            "changed": ("modified_date",),
        },
        "deals": {
            "name": ("name",),
            "account": ("account_name",),
            "status": ("status",),
            "currency": ("currency",),
        },
        "billing-payments": {"bill": ("billing_id",)},
        "deal-lines": {"deal": ("deal_id",)},
        "deal-seasons": {"deal": ("deal_id",)},
        "deal-rosters": {"deal": ("deal_id",)},
        "expenses": {"deal": ("deal_id",)},
        "expense-allocations": {"expense": ("expense_id",)},
        "product": {"category": ("category_id",)},
        "inventory-items": {"product": ("product_id",)},
        "rate-cards": {"inventory item": ("inventory_item_id", "property_id")},
        "rounds": {"season": ("season_id",)},
        "events": {"season": ("season_id",)},
    }
)
# K-7: the word of a deal's status that means that nothing of it is owed yet, lower-case.
DRAFT_WORDS = frozenset({"draft"})
# K-7: the words of `payment_status`, lower-case. Any other word is kept beside our "unknown".
PAYMENT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "draft": "draft",
        "scheduled": "scheduled",
        "not billed": "scheduled",
        "unbilled": "scheduled",
        "billed": "billed",
        "invoiced": "billed",
        "unpaid": "billed",
        "open": "billed",
        "overdue": "billed",
        "partially paid": "partially_paid",
        "partial": "partially_paid",
        "paid": "paid",
        "paid in full": "paid",
        "void": "void",
        "voided": "void",
        "cancelled": "void",
        "canceled": "void",
    }
)
# K-7: the picklist behind `state`; the guide shows `0` for active and no other number.
ACTIVE_CODE = "0"
ACTIVE_WORD = "active"
# T-15: companies of nearly the same name, whose keys open nothing here.
OTHER_KORES: Mapping[str, str] = MappingProxyType(
    {
        "korewireless.com": "KORE Wireless, which connects devices",
        "kore.ai": "kore.ai, which makes chatbots",
        "kore.com": "kore.ai, which makes chatbots",
    }
)
# The addresses that the guide names; a customer may be given others.
API_ADDRESS = "https://api.koresoftware.com"
SIGN_IN_ADDRESS = "https://koreauth.koresoftware.com"
