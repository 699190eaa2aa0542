"""coreplus in a box: three made-up practices, two in production and one in the sandbox environment.

The layers: `sandbox_door` (tokens, permissions, terms, the limit), `sandbox_reads` (what is listed), `sandbox_writes`
(what is made, its body read by `sandbox_fields`); the data are in `sandbox_data`, `sandbox_diary` and `sandbox_world`.
Here are the switches, what happens in a practice's day, and the
truth that tests compare with.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import Any, ClassVar

from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus.sandbox_data import MELBOURNE
from integrations.vendors.coreplus.sandbox_door import API, TRIAL, Refusal
from integrations.vendors.coreplus.sandbox_writes import Writes


def _happens(deed: Callable[["Emulator", int], str]) -> Callable[..., str]:
    """Something that people do in one practice; without an account, in every one of them."""

    @wraps(deed)
    def done(self: "Emulator", account: int | None = 0) -> str:
        with self.lock:
            return [deed(self, number) for number in self.numbers(account)][-1]

    return done


class Emulator(Writes):
    """`sizes`: appointments of each practice; it has a third as many clients. Faults are attributes and methods."""

    key = "coreplus"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("book", "Book an appointment"),
        ("move", "Move an appointment"),
        ("cancel", "Cancel an appointment"),
        ("delete", "Delete an appointment for good"),
        ("slip_one_in", "Book an appointment between the next two pages"),
        ("refuse_clients", "Take the permission for clients away"),
        ("refuse_appointments", "Take the permission for appointments away"),
        ("refuse_bookings", "Take the permission to make appointments away"),
        ("tick_everything", "Tick every permission (waits for the add-on)"),
        ("reenable", "Disable and enable the add-on"),
        ("revoke", "Disable the add-on"),
        ("expire", "Let the access token's term end"),
        ("renew", "Renew the access token"),
        ("take_cancellations", "Take cancellations through the API, which is not documented"),
        ("refuse_with_200", "The next 3 calls: 200 with an error inside"),
        ("keep_to_the_limit", "Refuse more than 10 calls a second"),
        ("put_the_clock_forward", "Put coreplus's clock forward by 5 minutes"),
    )
    mishaps = (
        "book",
        "book_two_at_once",
        "move",
        "cancel",
        "delete",
        "edit",
        "add_client",
        "rename_client",
        "remove_client",
        "hire_practitioner",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._dice = 0

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        practice, add_on = self.practices[account], self.add_ons[account]
        rooms = [(name, zone) for name, (zone_id, zone) in practice.rooms if zone_id != MELBOURNE[0]]
        settings = {
            "environment": practice.environment,
            "api_url": f"{self.url}{TRIAL if practice.environment == 'sandbox' else ''}{API}",
            "consumer_id": practice.consumer_id,
            "practice": practice.name,
            "granted_date": add_on.granted.isoformat(),
            "term_months": add_on.months,
            "show_client_names": practice.has_names,
            "zones": "\n".join(f"{name} = {zone}" for name, zone in rooms),
        }
        return settings, {"secret": practice.secret, "access_token": practice.access_token}

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        with self.lock:
            world = self.worlds[account]
            match stream:
                case "locations":
                    return {row["locationId"] for row in world.locations()}
                case "practitioners":
                    return {row["practitionerId"] for row in world.practitioners()}
                case "appointment-types":
                    rows = (row for one in world.specialties() for row in one["appointmentTypes"])
                    return {row["appointmentTypeId"] for row in rows}
                case "clients":
                    has_names = self.practices[account].has_names
                    return {world.ids["client"].of(n) for n in world.client_numbers()} if has_names else set()
            world.diary.catch_up(self.clock.now())
            return {world.ids["appointment"].of(number) for number in world.diary.between(date.min, date.max)}

    def keep_to_the_limit(self) -> None:
        self.calls_per_second = 10

    def refuse_with_200(self, account: int | None = None) -> None:
        reply = Refusal(200, "An error occurred").reply
        self.weather.add(Fault(account=account, times=3, status=200, body=reply.body, headers=reply.headers))

    def slip_one_in(self, account: int | None = None) -> None:
        """After the next page of appointments that is not the last one is booked ahead of it, so that rows slip."""
        with self.lock:
            self.slipping.update(self.numbers(account))

    def put_the_clock_forward(self) -> None:
        self.clock.advance(timedelta(minutes=5))

    # What happens in a practice's day. Each returns the id of what it happened to.

    @_happens
    def book(self, account: int) -> str:
        diary = self.worlds[account].diary
        return self._appointment_id(account, diary.add(self.clock.now()))

    @_happens
    def book_two_at_once(self, account: int) -> str:
        """Two practitioners, one moment."""
        diary = self.worlds[account].diary
        first, second = diary.add(self.clock.now()), diary.add(self.clock.now())
        diary.moved[second] = diary.moved[first]
        return self._appointment_id(account, second)

    @_happens
    def move(self, account: int) -> str:
        number = self._upcoming(account)
        diary, day = self.worlds[account].diary, self.clock.now().date()
        diary.move(number, day + timedelta(days=2 + self._roll() % 9))
        return self._appointment_id(account, number)

    @_happens
    def cancel(self, account: int) -> str:
        """It leaves the list, and can still be read by its id."""
        number = self._upcoming(account)
        self.worlds[account].diary.cancelled[number] = "Client was unwell"
        return self._appointment_id(account, number)

    @_happens
    def delete(self, account: int) -> str:
        number = self._upcoming(account)
        self.worlds[account].diary.deleted.add(number)
        return self._appointment_id(account, number)

    @_happens
    def edit(self, account: int) -> str:
        """Its status changes."""
        number = self._upcoming(account)
        self.worlds[account].diary.version[number] += 1
        return self._appointment_id(account, number)

    @_happens
    def add_client(self, account: int) -> str:
        world = self.worlds[account]
        return world.ids["client"].of(world.clients.add(self.clock.now()))

    @_happens
    def rename_client(self, account: int) -> str:
        world, number = self.worlds[account], self._client(account)
        world.clients.touch(number, self.clock.now())
        return world.ids["client"].of(number)

    @_happens
    def remove_client(self, account: int) -> str:
        world, number = self.worlds[account], self._client(account)
        world.gone_clients.add(number)
        return world.ids["client"].of(number)

    @_happens
    def hire_practitioner(self, account: int) -> str:
        world = self.worlds[account]
        world.extra_practitioners += 1
        return str(world.practitioners()[-1]["practitionerId"])

    def _appointment_id(self, account: int, number: int) -> str:
        return self.worlds[account].ids["appointment"].of(number)

    def _client(self, account: int) -> int:
        """One of the practice's; a new one where there is none."""
        world = self.worlds[account]
        numbers = world.client_numbers()
        return numbers[self._roll() % len(numbers)] if numbers else world.clients.add(self.clock.now())

    def _upcoming(self, account: int) -> int:
        """One of the next days' appointments; a new one where there is none."""
        today = self.clock.now().date()
        near = sorted(self.worlds[account].diary.between(today + timedelta(days=1), today + timedelta(days=12)))
        if not near:
            return self.worlds[account].diary.add(self.clock.now())
        return near[self._roll() % len(near)]

    def _roll(self) -> int:
        self._dice += 1
        return self.worlds[0].clients.dice(self._dice, "mishap").randrange(1 << 30)
