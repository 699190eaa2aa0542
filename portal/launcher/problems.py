"""Failures of starting up, told as one line to the person at the keyboard."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path


class LaunchError(Exception):
    """The start cannot go on. The message is the one line to show; `status` is the exit status."""

    def __init__(self, line: str, *, status: int = 1) -> None:
        super().__init__(line)
        self.status = status


class InUse(LaunchError):
    """Another process holds what was asked for."""


NO_SPACE = "The disk is full: nothing more can be written to {place}."
NOT_WRITABLE = "Cannot write to {place}: make it writable, or set STATE_DIR to a directory that is."

# What programs say in their own logs, and what a person can do about it.
_LOG_LINES = (
    ("No space left on device", NO_SPACE),
    ("Check free disk space", NO_SPACE),
    ("Disk quota exceeded", NO_SPACE),
    ("Read-only file system", NOT_WRITABLE),
    ("Permission denied", NOT_WRITABLE),
    (
        "database files are incompatible with server",
        "The data in {place} was written by another version of PostgreSQL: run `make clean` to begin anew.",
    ),
)


def failure(what: str, said: str, place: Path) -> LaunchError:
    """What a program's own words come to: one clear line where there is one, else `what` and its last words."""
    for words, line in _LOG_LINES:
        if words in said:
            return LaunchError(line.format(place=place))
    last_words = "\n".join(said.splitlines()[-15:])
    return LaunchError(f"{what}\n{last_words}")


@contextlib.contextmanager
def plain_errors(place: Path) -> Iterator[None]:
    """Turns a full disk and a missing permission into their one line; anything else passes."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LaunchError(NO_SPACE.format(place=place)) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise LaunchError(NOT_WRITABLE.format(place=place)) from error
        raise
