"""What Condeco does not publish and we had to guess. Each guess has its number and one line; change it here only.

Numbers CD-A.. are the register that the README refers to; OURS-.. are guesses that came up while writing this folder.
"""

from datetime import timedelta

API_HOSTS = {
    # CD-A01: a customer's own program calls integrationapi; the vendor's text prints integrationportal.
    "production": "https://integrationapi.condecosoftware.com",
    "uat": "https://integrationapi.condecosoftware.com",
    # Not a guess: the host of partners and developers is published.
    "developer": "https://developer-api.condecosoftware.com",
}

# CD-A02: the client subscription name is not case-sensitive; it is sent as entered and compared without case.
IS_SUBSCRIPTION_NAME_CASE_SENSITIVE = False

# CD-A05: a refused client id or password is 400 with `invalid_grant`; 401 is treated alike.
CREDENTIALS_REFUSED = frozenset({400, 401})

# CD-A26: any 401 that does not speak of a subscription key is about the session token.
SUBSCRIPTION_KEY_WORDS = "subscription key"

# CD-A27: how the two limits answer. 429 names the seconds in its text and `Retry-After`, 403 names the time left.
QUOTA_WORD = "quota"
RATE_LIMIT_WAIT = timedelta(seconds=60)  # when 429 names no time
QUOTA_WAIT = timedelta(days=1)  # when 403 names no time
LONGEST_QUOTA_WAIT = timedelta(days=7)  # CD-A30: the allowance is per customer and begins anew every Monday 00:00 UTC

# CD-A28: an unknown client subscription name or path is the gateway's own 404 with this text.
GATEWAY_NOT_FOUND = "resource not found"

# CD-A29: a refused question is 400 `{"IsError": true, "Message": ...}`; `{"message": ...}` and plain text are read too.
GONE_WORDS = "does not exist"

# OURS-1: `startDate` and `endDate` of a booking search are both included, and UTC dates with `isUTCDateTime=true`.
DAYS_BACK, DAYS_AHEAD = 1, 14

# OURS-2: the life of a session token when the answer does not name it; 43199 is what the vendor shows.
TOKEN_LIFETIME = timedelta(seconds=43_199)

# OURS-3: a room with this workspace type is a desk and has no room bookings (2 was seen for desks).
DESK_WORKSPACE_TYPE = 2

# CD-A11: the meaning of the numbers `status` and `meetingProgress` is unknown. Our status comes from the other fields;
# both numbers are kept beside it.
