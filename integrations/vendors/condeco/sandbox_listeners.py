"""Who is told what happens: the listeners of each customer, and the notifications that go to them.

Only the emulator relies on these guesses:
- CD-A18: registering answers 201 with `{"isError": false, "message": ""}`; unregistering takes the same body.
- CD-A19: both are opened by the key of ExternalBookings.
- CD-A20: names in a registration count in any case; `eventTypes` may be written `eventType`, too.
- CD-A21: queue provider 2, which is the default, posts over HTTP. What goes to 3 and 4 lands in queues that the
  emulator does not have.
- CD-A22: a customer may have any number of listeners, told apart by their address. Registering an address again
  replaces what it listened to.
- CD-A25: a notification is a POST with `Content-Type: application/json` and without the secret key; any 2xx takes it,
  within 30 seconds; there is no second try, and no promise of order.
"""

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any, ClassVar

from integrations.sandbox.kit import Reply, Request, route
from integrations.sandbox.notices import Notice, Rewrite, Spell
from integrations.sandbox.notifier import Notifier
from integrations.vendors.condeco.sandbox_gateway import invalid
from integrations.vendors.condeco.sandbox_messages import (
    Item,
    Service,
    body_of,
    in_year_one,
    misaddressed,
    respelled,
)
from integrations.vendors.condeco.sandbox_reads import Reads, sent_in

_EVENT_TYPES = range(1, 9)
_PUSH = 2
_PROVIDERS = (_PUSH, 3, 4)
_FOR_GOOD = timedelta(days=3650)
_WITHOUT_RETRY = ("hurry_notices", "reprocess_notices")
_NEXT = 3  # notifications that a switch is for


@dataclass(slots=True, kw_only=True)
class _Batch:
    wanted: int
    items: list[Item] = field(default_factory=list)


class Listeners(Reads, Notifier):
    retry_delays: ClassVar[tuple[timedelta, ...]] = ()
    most_tries: ClassVar[int] = 1
    notice_switches: ClassVar[tuple[tuple[str, str], ...]] = (
        *(control for control in Notifier.notice_controls if control[0] not in _WITHOUT_RETRY),
        ("batch_notices", "The next 3 changes come in one notification"),
        ("misaddress_notices", "The next 3 notifications go to an address with a wrong last part"),
        ("respell_notices", "The next 3 notifications are spelled otherwise"),
        ("undate_notices", "The next 3 notifications have times in the year 1"),
        ("use_one_address", "All notifications go to the first address, whatever it listens to"),
        ("use_own_addresses", "Notifications go to the addresses that listen to them again"),
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._one_address: set[int] = set()  # accounts
        self._batches: dict[int, _Batch] = {}
        self._telling = threading.RLock()

    # Registering

    @route("POST", "/{suffix}/api/V1/listener")
    def register(self, request: Request, suffix: str) -> Reply:
        sent = sent_in(request)
        kinds, provider = sent.get("eventtypes") or sent.get("eventtype"), sent.get("queueprovider") or _PUSH
        address = sent.get("notificationurl")
        if not isinstance(kinds, list) or not all(kind in _EVENT_TYPES for kind in kinds):
            return invalid("Event types are not valid.")
        if not sent.get("secretkey") or not isinstance(address, str) or not address or not kinds:
            return invalid("Secret key, event types and notification URL are required.")
        if provider not in _PROVIDERS:
            return invalid("Queue provider is not valid.")
        account = self.named(suffix).index
        with self._telling:
            self._keep(account, {**self.listeners(account), address: kinds if provider == _PUSH else []})
        return Reply.json({"isError": False, "message": ""}, 201)

    @route("DELETE", "/{suffix}/api/V1/listener")
    def unregister(self, request: Request, suffix: str) -> Reply:
        account, address = self.named(suffix).index, str(sent_in(request).get("notificationurl"))
        with self._telling:
            known = self.listeners(account)
            if address not in known:
                return invalid("The listener does not exist.")
            self._keep(account, {other: kinds for other, kinds in known.items() if other != address})
        return Reply.json({"isError": False, "message": ""})

    def listeners(self, account: int) -> dict[str, list[int]]:
        """Addresses, each with the numbers of the services that are posted to it; in the order of registering."""
        found = self.tokens.find(f"listeners {account}", "listener")
        return dict(found["addresses"]) if found else {}

    def listener(self, account: int) -> str:
        return next(iter(self.listeners(account)), "")

    def listen(self, url: str, account: int | None = None) -> None:
        """One address for all services, in place of any other."""
        for number in self.numbers(account):
            self._keep(number, {url: list(_EVENT_TYPES)} if url else {})

    def _keep(self, account: int, addresses: dict[str, list[int]]) -> None:
        """With the tokens: a restarted demo goes on notifying."""
        self.tokens.issue(f"listeners {account}", kind="listener", lifetime=_FOR_GOOD, addresses=addresses)

    # Telling

    def notify(self, account: int, item: Item) -> None:
        """Tell whoever listens to this service, in a notification of its own or in the batch that is gathering."""
        with self._telling:
            items = [item]
            if batch := self._batches.get(account):
                batch.items.append(item)
                if len(batch.items) < batch.wanted:
                    return
                items = self._batches.pop(account).items
            self._send(account, items)

    def _send(self, account: int, items: list[Item]) -> None:
        for service, group in groupby(sorted(items, key=_service_of), key=_service_of):
            body = body_of(list(group))
            for address in self._addresses(account, service):
                headers = {"Content-Type": "application/json"}
                self.sender.send(Notice(account=account, event=service.name, url=address, body=body, headers=headers))

    def _addresses(self, account: int, service: Service) -> list[str]:
        known = self.listeners(account)
        if account in self._one_address:
            return list(known)[:1]
        return [address for address, kinds in known.items() if service in kinds]

    # Weather

    def batch_notices(self, account: int | None = None) -> None:
        for number in self.numbers(account):
            self._batches[number] = _Batch(wanted=_NEXT)

    def misaddress_notices(self, account: int | None = None) -> None:
        self._rewrite(account, misaddressed)

    def respell_notices(self, account: int | None = None) -> None:
        self._rewrite(account, respelled)

    def undate_notices(self, account: int | None = None) -> None:
        self._rewrite(account, in_year_one)

    def use_one_address(self, account: int | None = None) -> None:
        self._one_address.update(self.numbers(account))

    def use_own_addresses(self, account: int | None = None) -> None:
        self._one_address.difference_update(self.numbers(account))

    def _rewrite(self, account: int | None, rewrite: Rewrite) -> None:
        self.sender.add(Spell(account=account, times=_NEXT, rewrite=rewrite))

    def clear_weather(self) -> None:
        super().clear_weather()
        with self._telling:
            self._one_address.clear()
            while self._batches:
                account, batch = self._batches.popitem()
                self._send(account, batch.items)


def _service_of(item: Item) -> Service:
    return item.service
