"""The base of an emulator that tells a listener what happens there, with the switches for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from integrations.sandbox.kit import Sandbox
from integrations.sandbox.notices import Notice, Sender, Spell, meanwhile

_FOR_GOOD = timedelta(days=3650)
_MOMENT = 1.0  # seconds
_SPEED_UP = 60


class Notifier(Sandbox):
    """Base of an emulator that notifies: one listener an account, entered at `listen` as an admin would at the vendor.

    A subclass gives the vendor's way of trying again, and calls `self.sender.send(...)`.
    """

    retry_delays: ClassVar[tuple[timedelta, ...]]
    most_tries: ClassVar[int]
    listener_timeout: ClassVar[timedelta] = timedelta(seconds=30)
    notice_controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("listen", "Notifications go to this address (empty: nowhere)"),
        ("drop_notices", "The next 3 notifications are lost"),
        ("double_notices", "The next 3 notifications arrive twice"),
        ("reverse_notices", "The next 3 notifications arrive in reverse order"),
        ("delay_notices", "The next 3 notifications are 30 s late"),
        ("garble_notices", "The next 3 notifications are cut in half"),
        ("hurry_notices", "Failed notifications are tried again 60 times sooner, or as documented again"),
        ("reprocess_notices", "Dead notifications are sent again"),
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sender = Sender(
            self.clock,
            delays=self.retry_delays,
            most_tries=self.most_tries,
            timeout=self.listener_timeout,
            dress=self.dress,
        )

    def dress(self, notice: Notice) -> Notice:
        """The notice as it is posted now, with what is worked out anew at every try."""
        return notice

    def listener(self, account: int) -> str:
        """Where that account's notices go; empty: nowhere."""
        return str((self.tokens.find(f"listener {account}", "listener") or {"url": ""})["url"])

    def listen(self, url: str, account: int | None = None) -> None:
        """From now on notices go there. Kept with the tokens: a restarted demo goes on notifying."""
        for number in range(len(self.account_names)) if account is None else (account,):
            self.tokens.issue(f"listener {number}", kind="listener", lifetime=_FOR_GOOD, url=url)

    def drop_notices(self, account: int | None = None) -> None:
        self.sender.add(Spell(account=account, times=3, is_dropped=True))

    def double_notices(self, account: int | None = None) -> None:
        self.sender.add(Spell(account=account, times=3, copies=2))

    def reverse_notices(self, account: int | None = None) -> None:
        self.sender.add(Spell(account=account, times=3, is_reversed=True))

    def delay_notices(self, account: int | None = None) -> None:
        self.sender.add(Spell(account=account, times=3, delay=timedelta(seconds=30)))

    def garble_notices(self, account: int | None = None) -> None:
        self.sender.add(Spell(account=account, times=3, rewrite=cut_in_half))

    def hurry_notices(self) -> None:
        self.sender.speed = 1.0 if self.sender.speed > 1 else _SPEED_UP

    def reprocess_notices(self, account: int | None = None) -> None:
        self.sender.reprocess(account)

    def clear_weather(self) -> None:
        super().clear_weather()
        self.sender.clear()

    def let_time_pass(self) -> None:
        """Change what is due by now, where data moves by itself. Asked once a second, so that a listener hears of it
        though nobody reads."""

    @contextmanager
    def serve(self, port: int = 0) -> Iterator["Sandbox"]:
        with super().serve(port), self.sender.running(), meanwhile(self._pass_time):
            yield self

    def _pass_time(self, is_over: threading.Event) -> None:
        while self.change_every is not None and not is_over.wait(_MOMENT):
            self.let_time_pass()


def cut_in_half(notice: Notice) -> Notice:
    return replace(notice, body=notice.body[: len(notice.body) // 2])
