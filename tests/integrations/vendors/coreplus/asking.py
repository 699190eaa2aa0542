"""Calls as coreplus documents them, one signed token each, past our own client."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt

from integrations.sandbox.kit import Sandbox
from integrations.vendors.coreplus.sandbox import Emulator
from integrations.vendors.coreplus.sandbox_data import MELBOURNE, PRACTICES

BASE = "/API/Core/v2"
PATH = f"{BASE}/Location/"
Row = dict[str, Any]


def ask(sandbox: Sandbox, path: str = PATH, *, account: int = 0, body: Any = None, **changes: Any) -> httpx.Response:
    """A GET, or with a body a POST; as documented but for `changes` of claims (None: left out) and of what stands
    under `how`."""
    method = "GET" if body is None else "POST"
    how = {"method": method, "scheme": "JwToken ", "content_type": "application/json", "algorithm": "HS256"}
    how |= changes.pop("how", {})
    practice, now = PRACTICES[account], int(sandbox.clock.now().timestamp())
    if practice.environment == "sandbox":
        path = f"/sandbox{path}"
    claims = {
        "iss": "https://switchboard.example.com",
        "aud": "http://coreplus.com.au",
        "nbf": now - 10,
        "exp": now + 50,
        "consumerId": practice.consumer_id,
        "accessToken": practice.access_token,
        "url": path,
        "httpMethod": how["method"],
    } | changes
    key = how.get("secret", practice.secret) if how["algorithm"] != "none" else ""
    told = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(told, key, algorithm=how["algorithm"])
    headers = {"authorization": f"{how['scheme']}{token}", "content-type": how["content_type"]}
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.request(how["method"], f"{sandbox.url}{how.get('sent', path)}", headers=headers, json=body)


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["result"][0]["reason"])


def days(since: str, until: str = "", more: str = "", zone: str = MELBOURNE[0]) -> str:
    """The query of a window."""
    return f"?startDate={since}&endDate={until or since}&timezoneId={zone}{more}"


def appointments(sandbox: Sandbox, since: str, until: str = "", account: int = 0) -> dict[str, Row]:
    """By id."""
    answer = ask(sandbox, f"{BASE}/Appointment/{days(since, until)}", account=account)
    return {row["appointmentId"]: row for row in answer.json()["appointments"]}


def slots(sandbox: Sandbox, since: str, more: str = "&pageSize=100", account: int = 0, **window: str) -> list[Row]:
    answer = ask(sandbox, f"{BASE}/AvailabilitySlot/{days(since, more=more, **window)}", account=account)
    return list(answer.json()["timeslots"])


def sent(moment: str, later: timedelta = timedelta()) -> str:
    """A moment as answers have it, or one later on, written as creates want it."""
    text = (datetime.fromisoformat(moment.replace(" ", "")) + later).isoformat()
    return f"{text[:10]} {text[11:16]} {text[19:]}"


def booking(slot: Row, client: str, **changes: Any) -> Row:
    """What makes an appointment of the first half hour of that slot; `changes` of None are left out."""
    body = {
        "startDateTime": sent(slot["startDateTime"]),
        "endDateTime": sent(slot["startDateTime"], timedelta(minutes=30)),
        "practitioner": slot["practitioner"],
        "locationId": slot["locationId"],
        "clients": [{"clientId": client}],
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def book(sandbox: Sandbox, body: Row, account: int = 0) -> httpx.Response:
    return ask(sandbox, f"{BASE}/Appointment/", account=account, body=body)


def new_client(sandbox: Sandbox, account: int = 0, **changes: Any) -> str:
    """The id of a client made now."""
    body = {"firstName": "Noor", "lastName": "Haddad", "dateOfBirth": "1972-07-02"} | changes
    answer = ask(sandbox, f"{BASE}/Client/", account=account, body=body)
    return str(answer.json()["client"]["clientId"])


def day_ahead(sandbox: Emulator, ahead: int = 5) -> str:
    return (sandbox.epoch.date() + timedelta(days=ahead)).isoformat()


def free(sandbox: Emulator, account: int = 0) -> Row:
    """A whole day of one practitioner that nobody has taken yet."""
    for ahead in range(30, 60):
        for slot in slots(sandbox, day_ahead(sandbox, ahead), account=account):
            if (slot["startDateTime"][11:16], slot["endDateTime"][11:16]) == ("09:00", "18:00"):
                return slot
    raise AssertionError("nobody has a day off")


def known_client(sandbox: Emulator, account: int = 0) -> str:
    world = sandbox.worlds[account]
    return world.ids["client"].of(1)
