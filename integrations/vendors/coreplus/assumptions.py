"""What coreplus does not publish and we had to assume: each default once, with the id of its assumption (README).

Where the real coreplus differs, this is the place to change. Ids that are missing here concern writing only.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from integrations.values import BookingStatus

# CP-A01: the address of production is not printed anywhere; coreplus hands it out with the keys. The sandbox's is.
SANDBOX_URL = "https://sandbox.coreplus.com.au/API/Core/v2"
SANDBOX_HOST = "sandbox.coreplus.com.au"

# CP-A02: one Consumer Id may serve several practices and only the Access Token differs, so the rate budget belongs to
# the Consumer Id, while a practice is told apart by the name that the admin gives it.

# CP-A03: VIEW_CLIENTLIST is the only permission whose name is printed; of the others we only say what they allow.
CLIENT_PERMISSION = "VIEW_CLIENTLIST"

# CP-A04: renewing the Access Token does not change its value, so after a renewal nothing has to be entered again.

# CP-A05: all eight claims are sent; `url` and `httpMethod` must equal the request. CP-A06: no ceiling on the lifetime,
# so we keep to the minute that the vendor recommends, begun a little in the past for clocks that differ a little.
TOKEN_LIFE = timedelta(seconds=60)
TOKEN_HEAD_START = timedelta(seconds=10)
# Beyond this we sign by coreplus's clock instead of ours.
CLOCK_TOLERANCE = timedelta(seconds=20)

# CP-A07: an expired Access Token and a disabled add-on answer like any token that is not valid. CP-A08: which is 401
# and `{"result": [{"severity": 2, "reason": "Invalid token"}]}`; only the words count, and a 401 without a body is one.
INVALID_TOKEN = "invalid token"  # noqa: S105 - the vendor's words
# The guide prints "Not authorized for viewing client list". CP-A25: other refusals begin in the same way.
NOT_AUTHORIZED = "not authorized"
# CP-A27: 404 for an id that does not exist (any more); these words mean the same whatever the status.
NOT_FOUND = "not found"
# CP-A26: a reason with this word is about `timezoneId`.
ZONE = "zone"
# CP-A23: severities are 0 information, 1 warning, 2 error. CP-A24: `statusMessages` look alike and are not read.
ERROR_SEVERITY = 2

# CP-A09: the server does not mind the letter case of paths. GUIDs are taken to be the same in any case too.
# CP-A10: no further fields of a location are used. CP-A15: lists may come with or without `paging`.

# CP-A16: the names of the two fields that a cancelled appointment has when asked for with `cancellationId=true`.
CANCELLATION_REASON = "cancellationReasonId"
CANCELLATION_NOTES = "cancellationNotes"

# CP-A19: how appointment types are read. When it fails, appointments are titled "Appointment".
TYPES_PATH = "SpecialtyType/"

# CP-A20: unknown query parameters are ignored. CP-A21: cancelled appointments are absent from the list. CP-A22: a
# rescheduled appointment keeps its id.

# CP-A28: the documented ten calls a second are counted by Consumer Id; we keep to half of that.
CALLS_PER_SECOND = 5
# CP-A29: a 429 does not say how long to wait.
PAUSE = timedelta(seconds=2)

# CP-A30: words of `status`, lower-case; only "Attended" is published. Blank counts as confirmed, and any other word is
# shown as it came.
STATUSES: Mapping[str, BookingStatus] = MappingProxyType(
    {
        "": BookingStatus.CONFIRMED,
        "booked": BookingStatus.CONFIRMED,
        "confirmed": BookingStatus.CONFIRMED,
        "arrived": BookingStatus.CONFIRMED,
        "attended": BookingStatus.COMPLETED,
        "did not attend": BookingStatus.NO_SHOW,
        "cancelled": BookingStatus.CANCELLED,
    }
)

# CP-A31: `endDate` is included. Dates are widened by a day on both sides, since a day in some zone begins up to 14
# hours before and ends up to 12 hours after the same day in UTC.
WIDER_BY = timedelta(days=1)

# Ours: health data is not kept longer than this after the appointment.
KEPT_FOR = timedelta(days=400)

# Ours: how far we look. The hot window is read every ten minutes, the wide one at first and every night.
INTERVAL = timedelta(minutes=10)
DAYS_BACK_HOT, DAYS_AHEAD_HOT = 1, 14
DAYS_BACK_WIDE, DAYS_AHEAD_WIDE = 30, 180
SLICE = timedelta(days=7)
APPOINTMENTS_PER_PAGE = 100  # the documented maximum
CLIENTS_PER_PAGE = 50  # the documented default; no maximum is published
# How often a list that changes while we turn its pages is begun again before we make do with what we saw.
MAX_RESTARTS = 3

# Zones are coreplus's own GUIDs, and only this one is published. For others the admin names the zone once.
MELBOURNE = "39d62534-501c-49cd-9da9-6fa8d6a81f48"
ZONES: Mapping[str, str] = MappingProxyType({MELBOURNE: "Australia/Melbourne"})


def is_sandbox_url(api_url: str) -> bool:
    """Two environments on one loopback host, as our emulator has them, differ by the first part of the path."""
    parts = urlsplit(api_url)
    return parts.hostname == SANDBOX_HOST or (parts.hostname == "127.0.0.1" and parts.path.startswith("/sandbox"))


def url_of_other_environment(api_url: str) -> str:
    """Where the same keys would be taken if sandbox and production had been mixed up; "" when that is not known."""
    parts = urlsplit(api_url)
    if parts.hostname == "127.0.0.1":
        path = parts.path.removeprefix("/sandbox") if is_sandbox_url(api_url) else f"/sandbox{parts.path}"
        return f"{parts.scheme}://{parts.netloc}{path}"
    return "" if is_sandbox_url(api_url) else SANDBOX_URL
