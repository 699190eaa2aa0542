"""What KORE's guide leaves open and we had to assume: each default once, with the id of its assumption (README).

The guide tells how the API works, and next to nothing about the fields of its entities; K-7 is the one to check first
against a real answer.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

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
# K-10: read again every 30 minutes, from 5 minutes before the newest row we hold.
INTERVAL = timedelta(minutes=30)
OVERLAP = timedelta(minutes=5)
# K-10a: how often rows may slip inside one second of a reading before we say that KORE's order is not stable.
MAX_RESTARTS = 5
# K-12: deletions are not looked for yet. K-16: so ids are never compared by size. K-17: nothing is ever written.
# K-14: a bad API key is taken to answer 401, so a refusal names both key and secret.
# K-15: no limit is documented. A careful client would keep to 2 requests a second, one at a time; a first reading
# would then take minutes. Retry-After is honoured whenever KORE sends it, so we go at this pace until told otherwise.
CALLS_PER_SECOND = 20
PARALLEL_CALLS = 2

# K-7: names of the fields. Ours on the left; KORE's candidates on the right, the first that has a value wins. Only
# `id`, `name`, `state`, `created_date`, `modified_date` and (on deal lines) `deal_id` are documented.
BILLING_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "number": ("bill_number", "number", "name"),
        "title": ("name",),
        "account": ("account_name", "account_id"),
        "deal": ("deal_id",),
        "payment_status": ("payment_status",),
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
    }
)
PAYMENT_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bill": ("billing_id",),
        "date": ("payment_date",),
        "amount": ("amount",),
        "method": ("payment_method",),
        "reference": ("reference_number",),
        "changed": ("modified_date",),
    }
)
DEAL_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "name": ("name",),
        "number": ("deal_number",),
        "account": ("account_name",),
        "status": ("status",),
        "start": ("start_date",),
        "end": ("end_date",),
        "amount": ("total_amount",),
        "changed": ("modified_date",),
    }
)
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
