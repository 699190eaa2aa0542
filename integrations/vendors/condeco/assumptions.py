"""What Condeco does not publish and we had to guess. Each guess has its number and one line; change it here only.

Numbers CD-A.. are the register that the README refers to; OURS-.. are guesses that came up while writing this folder.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

# Hosts

API_HOSTS = {
    # CD-A01: a customer's own program calls integrationapi; the vendor's text prints integrationportal, for UAT too.
    "production": "https://integrationapi.condecosoftware.com",
    "uat": "https://integrationapi.condecosoftware.com",
    # Not a guess: the host of partners and developers is published.
    "developer": "https://developer-api.condecosoftware.com",
}
PORTAL_HOSTS = (  # where people find their keys; not the API (published)
    "integrationportal.condecosoftware.com",
    "integrationportal-uat.condecosoftware.com",
    "developer-portal.condecosoftware.com",
)


def api_addresses(settings: Mapping[str, Any]) -> dict[str, str]:
    """The API address of each environment, beside the one in the settings. A gateway with a name of its own (OURS-8)
    keeps the other environments under a path: `/uat`, `/developer`."""
    parts = urlsplit(settings["api_url"])
    if (parts.hostname or "").endswith(".condecosoftware.com"):
        return API_HOSTS
    origin = f"{parts.scheme}://{parts.netloc}"
    return {"production": origin, "uat": f"{origin}/uat", "developer": f"{origin}/developer"}


# OURS-9: these words in the name of a customer's host tell its environment.
ENVIRONMENT_WORDS = {"uat": ("uat",), "developer": ("developer", "sde")}

# CD-A02: the client subscription name is not case-sensitive; it is sent as entered and compared without case.
IS_SUBSCRIPTION_NAME_CASE_SENSITIVE = False

# Sign-in and errors

# CD-A03: keys and client password do not expire; the form takes an end date of the subscription where one is known.

# CD-A04: an older session token stays valid after a new one, so two workers may each ask for one.

# CD-A05: a refused client id or password is 400 with `invalid_grant`; 401 is treated alike.
CREDENTIALS_REFUSED = frozenset({400, 401})

# CD-A26: any 401 that does not speak of a subscription key is about the session token.
SUBSCRIPTION_KEY_WORDS = "subscription key"

# CD-A27: how the two limits answer. 429 names the seconds in its text and `Retry-After`, 403 names the time left.
QUOTA_WORD = "quota"
RATE_LIMIT_WAIT = timedelta(seconds=60)  # when 429 names no time
QUOTA_WAIT = timedelta(days=1)  # when 403 names no time
LONGEST_QUOTA_WAIT = timedelta(days=7)

# CD-A28: an unknown client subscription name or path is the gateway's own 404 with this text.
GATEWAY_NOT_FOUND = "resource not found"

# CD-A29: a refused question is 400 `{"IsError": true, "Message": ...}`; `{"message": ...}` and plain text are read too.
GONE_WORDS = "does not exist"

# OURS-2: the life of a session token when the answer does not name it; 43199 is what the vendor shows.
TOKEN_LIFETIME = timedelta(seconds=43_199)

# Limits

# CD-A30: 50,000 calls a week are per customer, from Monday 00:00 UTC, and failed calls count. CD-A06: token calls do
# not. Of these 35,000 are for reconciling, the rest for notifications, people and reserve.
RECONCILE_CALLS_A_WEEK = 35_000
DESK_CALLS_A_WEEK = VISITOR_CALLS_A_WEEK = 5_000  # the most that each of these plans for itself
CALLS_AT_ONCE_OF_THE_WEEK = 10_000  # a first copy may run ahead; a week then has 45,000 at most

# Hierarchy

# OURS-3: a room with this workspace type is a desk and has no room bookings (2 was seen for desks).
DESK_WORKSPACE_TYPE = 2

# OURS-4: a group has the fields of a country: `ResourceName`, `InternalId`, `InternalParentId`.

# CD-A07: `floorPlan` answers in the envelope of the hierarchy with nodes such as rooms have.
DESK_RESOURCE_TYPE = "128"  # not a guess: seen for desks

# OURS-5: the floors of a location are numbered from minus `NumberOfFloorsBelowGround` over 0 to
# `NumberOfFloorsAboveGround`, and its groups are `LocationGroupMappings[].GroupId`. At most so many are asked for.
MOST_FLOORS = 200

# Bookings

# OURS-1: `startDate` and `endDate` of a booking search are both included, and UTC dates with `isUTCDateTime=true`.
DAYS_BACK, DAYS_AHEAD = 1, 14

# CD-A08: one booking comes bare; `{"booking": {...}}` and `{"bookings": [...]}` are read too.
WRAPPERS = ("booking", "bookings", "deskBooking", "deskBookings", "Data")

# CD-A11: the meaning of the numbers `status` and `meetingProgress` is unknown. Our status comes from the other fields;
# both numbers are kept beside it.

# CD-A12: `attendees` may stand in a booking that is read; it is kept with the payload and not shown.

# CD-A13: `GET deskBookings?locationId&startDate&endDate&pageNumber&pageSize` and `GET deskBookings/{id}`. Nobody has
# seen them work, so the form's switch is off at first.
READS_DESK_BOOKINGS = False

# CD-A14: which part of the day a desk booking is for. OURS-7: the halves meet at noon at the location.
MORNING, AFTERNOON, WHOLE_DAY = 0, 1, 2
NOON = timedelta(hours=12)

# OURS-6: the desk booking calls are opened by the key of ExternalBookings, and `untilFurtherNotice` marks an open end.

# OURS-10: so many days of desk bookings are asked for at once.
DESK_DAYS_AT_ONCE = 38

# CD-A15, CD-A16: visitors are `GET visitor` and come as `{"visitors": [...], "totalRecords": n}`.
VISIT_DAYS = 14  # today and the 13 days after it, at the location; the vendor allows no more (published)

# CD-A23: whether pages count from 0 or 1 is unclear, but 0 and 0 were sent for "all", so we never page.
ALL_AT_ONCE = (("pageNumber", "0"), ("pageSize", "0"))

# CD-A31: rooms and desks may have the same numbers, so each has a stream of its own.
