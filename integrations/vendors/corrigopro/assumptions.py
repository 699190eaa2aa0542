"""What CorrigoPro's documents leave open and we decided. Each has its id in the README; change it here only."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from integrations.contract import Limit
from integrations.values import BillingStatus

# A-1 The sandbox instance has the same path layout as production, on whatever host its settings page shows.
REST_PATH: Final = "/Direct/api"
OAUTH_PATH: Final = "/OAuth/Token"

# A-2 An access token is renewed when less than this is left of its 1199 seconds.
RENEW_BEFORE: Final = timedelta(seconds=120)
USUAL_LIFETIME: Final = timedelta(seconds=1199)  # where the answer leaves `expires_in` out

# A-3 No answer after this long is a failure to be repeated later, as are 429 and every 5xx.
REQUEST_TIMEOUT: Final = timedelta(seconds=30)

# A-6 What changes rarely is read once a day (the register says it of customer settings; customers and associates
# follow).
DAILY: Final = timedelta(days=1)

# A-7 What the settings of a customer are called in their answer.
SETTINGS_NAME: Final = "CustomerSettings"

# A-8 `LastUpdate` takes `{From, To}` as `Created` does. Where it does not help (refused with code 2100, or too many
# changes in one second), orders created in this span, or in the whole history where that is longer, are searched and
# each row's `LastUpdate` is compared here.
FALLBACK_SPAN: Final = timedelta(days=60)

# A-10 `GET workOrder` leaves out ids it does not know. The cap of 50 is documented.
DETAILS_PER_CALL: Final = 50

# A-12 How the order and the branch are named in the query of what hangs on them.
ORDER_PARAMETER: Final = "workOrderId"
BRANCH_PARAMETER: Final = "branchId"
# With A-12: what the lists are called, and which member is a thing's id. An answer with one list only is read whatever
# its name; a message without any of these ids is known by its content.
ATTACHMENTS_NAME: Final = "Attachments"
MESSAGES_NAME: Final = "Messages"
PROCEDURES_NAME: Final = "Procedures"
STEPS_NAME: Final = "Steps"
ASSOCIATES_NAME: Final = "Associates"
ATTACHMENT_IDS: Final = ("AttachmentId", "Id")
MESSAGE_IDS: Final = ("Id", "TextMessageId")
PROCEDURE_IDS: Final = ("Id", "ProcedureId")
STEP_IDS: Final = ("Id", "StepId", "ProcedureStepId")
ASSOCIATE_IDS: Final = ("Id", "AssociateId")
# Paths whose spelling is certain: 404 there means a wrong address, on the others that we know the path wrongly.
SURE_PATHS: Final = frozenset({"customers", "workOrder", "workOrder/search"})

# A-13 The words of an invoice's status, in lower case. PendingVerification, Authorized and Paid are documented; Draft,
# Submitted and Disputed are not.
INVOICE_STATUSES: Final[Mapping[str, BillingStatus]] = {
    "draft": BillingStatus.DRAFT,
    "submitted": BillingStatus.BILLED,
    "pendingverification": BillingStatus.BILLED,
    "authorized": BillingStatus.BILLED,
    "disputed": BillingStatus.BILLED,
    "paid": BillingStatus.PAID,
}

# A-15 No cap on search results is documented. An answer this long is taken for a cut one: the window is halved.
SUSPICIOUS_ROWS: Final = 500
SHORTEST_WINDOW: Final = timedelta(seconds=1)  # not halved further

# A-16 How often, how far back at first, in which steps, and how much is read twice for safety.
WORK_ORDERS_INTERVAL: Final = timedelta(minutes=10)
HISTORY_DAYS: Final = 90
HISTORY_WINDOW: Final = timedelta(days=7)
OVERLAP: Final = timedelta(minutes=10)

# A-17 An order that search no longer returns and `GET workOrder` omits this many times in a row is gone.
ORDER_MISSES: Final = 3

# A-23 No rate limit is documented. The register says 4 calls a second, 2 at once; we allow more a second, so that a
# first run of some thousand orders takes seconds. Lower it here if CorrigoPro ever answers 429.
LIMIT: Final = Limit(calls=10, per=timedelta(seconds=1), burst=10, parallel=2)

# A-24 Priority names belong to the customer; these words in them are understood, all else is normal.
PRIORITY_WORDS: Final = ("HIGH", "NORMAL", "LOW")

# Ours, not in the register. Nothing says whether the ends of a window belong to it, or how its moments are rounded:
# this much more is asked for on both sides, and what lies outside is dropped here.
EDGE: Final = timedelta(seconds=1)
# Windows end this far ahead of our clock, so that a vendor's clock ahead of ours hides nothing.
LOOK_AHEAD: Final = timedelta(days=2)
# Our clock may be this far ahead of the vendor's before a change could be missed.
CLOCK_TRUST: Final = timedelta(hours=1)
# Whether `LastUpdate` moves when only an invoice, message, attachment or procedure of the order changes is not said.
# So what hangs on orders is read for those that changed, and besides, for open ones on a slower round, and for all
# young ones by sweeps.
PAPERS_INTERVAL: Final = timedelta(minutes=15)
PAPERS_DAYS: Final = 30  # the first reading: orders changed within; sweeps: orders created within
OPEN_ROUND: Final = timedelta(hours=6)
INVOICE_ROUND: Final = timedelta(days=1)  # it takes in finished orders too, whose invoices are still on their way
SWEEP: Final = timedelta(days=1)  # of orders (a few searches) and attachments (customers really delete those)
SLOW_SWEEP: Final = timedelta(days=7)  # of the rest, which is not known ever to be deleted
CALLS_PER_RUN: Final = 2000  # then the reading rests for a minute; it goes on where it stood
FINAL_STATUSES: Final = frozenset({"verified", "rejected", "recalled"})  # nothing follows but a reopening
UNBILLED_STATUSES: Final = frozenset({"rejected", "recalled"})  # no work was done
# Lines of an invoice that are its tax: the word in their category.
TAX_WORD: Final = "tax"
