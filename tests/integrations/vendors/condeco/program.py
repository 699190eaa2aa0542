"""Someone else's program that calls the emulator's API, and what it asks for."""

import ssl
from datetime import timedelta
from typing import Any

import httpx

from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.sandbox import Emulator
from tests.integrations.vendor_access import vendor_access

USER = 2_001
UTC_TIMES = {"params": {"isUTCDateTime": "true"}}
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # all is on loopback; httpx's own reads every root certificate
NIGHT = 17  # hours from the frozen now until 04:00 in New York


class Program:
    def __init__(self, sandbox: Emulator, account: int = 0) -> None:
        with vendor_access(connector, sandbox, account) as access:
            token = access.token()
        customer = sandbox.accounts[account].customer
        self.keys, name = customer.keys, customer.subscription_name
        secrets = {"client_id": customer.client_id, "password": customer.client_password}
        self.sign_in = {"grant_type": "password", **secrets}
        self.client = httpx.Client(
            base_url=f"{sandbox.url}/{name}/api/V1/", headers={"authorization": f"Bearer {token}"}, verify=NO_TLS
        )

    def send(self, method: str, path: str, key: str = "ExternalBookings", **options: Any) -> tuple[int, Any]:
        headers = {"ocp-apim-subscription-key": self.keys[key]}
        answer = self.client.request(method, path, headers=headers, **options)
        return answer.status_code, answer.json()

    def listen(self, address: str, *services: int) -> None:
        wanted = {"secretkey": "s3", "eventTypes": services, "notificationUrl": address, "queueProvider": 2}
        assert self.send("POST", "listener", json=wanted)[0] == 201

    def book(self, condeco: Emulator, hours: float = NIGHT, **changes: object) -> int:
        status, told = self.send("POST", "bookings", json=wish(condeco, hours, **changes), **UTC_TIMES)
        assert status == 201
        return int(told["bookingID"])


def at(condeco: Emulator, hours: float) -> str:
    return f"{condeco.clock.now() + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"


def wish(condeco: Emulator, hours: float = 100, **changes: object) -> dict[str, Any]:
    """A meeting at four in the morning, when nobody else meets."""
    times = {"startDateTime": at(condeco, hours), "endDateTime": at(condeco, hours + 0.5)}
    return {"userId": USER, "roomId": 501, "meetingTitle": "Audit", "privateMeeting": False, **times, **changes}
