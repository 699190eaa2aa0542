"""Every way in which Condeco may refuse or fail, to be switched on for the next calls.

The forms of the answers are those that `assumptions.py` names, where nobody published them.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partialmethod
from typing import ClassVar

from integrations.sandbox.kit import Fault, Reply, Sandbox
from integrations.vendors.condeco.sandbox_gateway import PORTAL_PAGE, invalid, refused

_TOKEN, _API = "/tokenproviderapi/", "/api/V1/"
_BOOKING, _BOOKINGS, _VISITOR = r"/bookings/\d+$", "/bookings/?$", "/visitor/?$"
_WRITE = "POST|PUT|DELETE"
_GONE = invalid("Booking Id does not exist.")
_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way to fail: which calls, and what they are answered."""

    label: str
    reply: Reply
    path: str = _API
    method: str = ""
    delay: timedelta = timedelta()


def _bare(status: int) -> Reply:
    return Reply(status=status)


def _oauth(error: str, status: int) -> Reply:
    return Reply.json({"error": error, "error_description": "The client id or password is incorrect."}, status)


ROWS = {
    "token_grant": Row(label="Token: 400 invalid_grant", path=_TOKEN, reply=_oauth("invalid_grant", 400)),
    "token_client": Row(label="Token: 401 invalid_client", path=_TOKEN, reply=_oauth("invalid_client", 401)),
    "token_lost": Row(label="Token: 404", path=_TOKEN, reply=_bare(404)),
    "token_down": Row(label="Token: 503", path=_TOKEN, reply=_bare(503)),
    "key_missing": Row(
        label="401, the subscription key is missing",
        reply=refused(401, "Access denied due to missing subscription key. Make sure to include it."),
    ),
    "key_invalid": Row(
        label="401, the subscription key is invalid",
        reply=refused(401, "Access denied due to invalid subscription key. Provide a valid key."),
    ),
    "token_refused": Row(
        label="401, the session token is refused",
        reply=Reply.json({"Message": "Authorization has been denied for this request."}, 401),
    ),
    "quota_used": Row(
        label="403, the calls of the week are used up",
        reply=refused(403, "Out of call volume quota. Quota will be replenished in 02:30:00."),
    ),
    "forbidden": Row(
        label="403, not licensed", reply=refused(403, "This account is not licensed for the API service.")
    ),
    "path_unknown": Row(label="404 of the gateway", reply=refused(404, "Resource not found")),
    "booking_gone": Row(label="A booking by its id: 400, does not exist", path=_BOOKING, reply=_GONE),
    "booking_lost": Row(label="A booking by its id: 404", path=_BOOKING, reply=_bare(404)),
    "start_refused": Row(
        label="Starting a meeting: 400, cannot be started",
        path=_BOOKING,
        method="PUT",
        reply=invalid("Meeting cannot be started at this moment."),
    ),
    "started_already": Row(
        label="Starting a meeting: 400, already started",
        path=_BOOKING,
        method="PUT",
        reply=invalid("Meeting already started."),
    ),
    "write_invalid": Row(label="A write: 400 with IsError", method=_WRITE, reply=invalid("The title is too long.")),
    "write_message": Row(
        label="A write: 400 with a message only",
        method=_WRITE,
        reply=Reply.json({"message": "The title is too long."}, 400),
    ),
    "write_text": Row(
        label="A write: 400 in plain text",
        method=_WRITE,
        reply=Reply(status=400, body=b"The title is too long.", headers={"Content-Type": "text/plain"}),
    ),
    "read_invalid": Row(label="A read: 400", method="GET", reply=invalid()),
    "error_in_success": Row(label="200 with IsError", reply=invalid("Something went wrong.", 200)),
    "room_taken": Row(
        label="Booking a room: 409",
        path=_BOOKINGS,
        method="POST",
        reply=invalid("The room is not available at this time.", 409),
    ),
    "room_overlap": Row(
        label="Booking a room: 400, overlaps",
        path=_BOOKINGS,
        method="POST",
        reply=invalid("The booking overlaps with another booking."),
    ),
    "visit_date": Row(
        label="Visitors: 400, outside the next 14 days",
        path=_VISITOR,
        method="GET",
        reply=invalid("Visit date must lie within the next 14 days."),
    ),
    "too_many": Row(
        label="429 that names the seconds in its text only",
        reply=refused(429, "Rate limit is exceeded. Try again in 7 seconds."),
    ),
    "silence": Row(label="no answer for a minute", reply=_bare(504), delay=timedelta(minutes=1)),
    "portal_page": Row(label="200 with the portal's web page", reply=PORTAL_PAGE),
    "outage_page": Row(label="503 with a web page", reply=Reply.html("<h1>Service unavailable</h1>", 503)),
    **{
        f"status_{status}": Row(label=f"{status}", reply=_bare(status))
        for status in (405, 406, 408, 413, 415, 429, 500, 502, 503, 504)
    },
}


class Faults(Sandbox):
    """Each row is a switch of its own: `fail_key_invalid(account=1, times=5)`, or the same on the page of switches."""

    fault_switches: ClassVar[tuple[tuple[str, str], ...]] = tuple(
        (f"fail_{name}", f"The next {_TIMES} calls: {row.label}") for name, row in ROWS.items()
    )

    def _fail(self, name: str, times: str = "", account: int | None = None) -> None:
        """The next `times` calls that the row is about are answered so and not carried out."""
        row = ROWS[name]
        self.weather.add(
            Fault(
                path=row.path,
                method=row.method,
                account=account,
                times=int(times or _TIMES),
                status=row.reply.status,
                body=row.reply.body,
                headers=row.reply.headers,
                delay=row.delay,
            )
        )


for _name in ROWS:
    setattr(Faults, f"fail_{_name}", partialmethod(Faults._fail, _name))
