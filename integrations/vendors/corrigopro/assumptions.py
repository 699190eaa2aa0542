"""What CorrigoPro's documents leave open and we decided. Each has its id in the README; change it here only."""

from datetime import timedelta
from typing import Final

from integrations.contract import Limit

# A-1 The sandbox instance has the same path layout as production, on whatever host its settings page shows.
REST_PATH: Final = "/Direct/api"
OAUTH_PATH: Final = "/OAuth/Token"

# A-2 An access token is renewed when less than this is left of its 1199 seconds.
RENEW_BEFORE: Final = timedelta(seconds=120)
USUAL_LIFETIME: Final = timedelta(seconds=1199)  # where the answer leaves `expires_in` out

# A-3 No answer after this long is a failure to be repeated later, as are 429 and every 5xx.
REQUEST_TIMEOUT: Final = timedelta(seconds=30)

# A-6 What changes rarely is read once a day (the register says it of customer settings; the customer list follows).
CUSTOMERS_INTERVAL: Final = timedelta(days=1)

# A-8 `LastUpdate` takes `{From, To}` as `Created` does. Where it does not help (refused with code 2100, or too many
# changes in one second), orders created in this span, or in the whole history where that is longer, are searched and
# each row's `LastUpdate` is compared here.
FALLBACK_SPAN: Final = timedelta(days=60)

# A-10 `GET workOrder` leaves out ids it does not know. The cap of 50 is documented.
DETAILS_PER_CALL: Final = 50

# A-15 No cap on search results is documented. An answer this long is taken for a cut one: the window is halved.
SUSPICIOUS_ROWS: Final = 500
SHORTEST_WINDOW: Final = timedelta(seconds=1)  # not halved further

# A-16 How often, how far back at first, in which steps, and how much is read twice for safety.
WORK_ORDERS_INTERVAL: Final = timedelta(minutes=10)
HISTORY_DAYS: Final = 90
HISTORY_WINDOW: Final = timedelta(days=7)
OVERLAP: Final = timedelta(minutes=10)

# A-23 No rate limit is documented. The register says 4 calls a second, 2 at once; we allow more, so that a first run
# of some thousand orders takes seconds. Lower it here if CorrigoPro ever answers 429.
LIMIT: Final = Limit(calls=10, per=timedelta(seconds=1), burst=10, parallel=4)

# A-24 Priority names belong to the customer; these words in them are understood, all else is normal.
PRIORITY_WORDS: Final = ("HIGH", "NORMAL", "LOW")

# Ours, not in the register. Nothing says whether the ends of a window belong to it, or how its moments are rounded:
# this much more is asked for on both sides, and what lies outside is dropped here.
EDGE: Final = timedelta(seconds=1)
# Windows end this far ahead of our clock, so that a vendor's clock ahead of ours hides nothing.
LOOK_AHEAD: Final = timedelta(days=2)
# Our clock may be this far ahead of the vendor's before a change could be missed.
CLOCK_TRUST: Final = timedelta(hours=1)
