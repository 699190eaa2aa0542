"""A full disk and a missing permission are one line each."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from portal.launcher.problems import LaunchError, failure, plain_errors

PLACE = Path("/somewhere")


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "The disk is full: nothing more can be written to /somewhere."),
        (errno.EROFS, "Cannot write to /somewhere: make it writable, or set STATE_DIR to a directory that is."),
    ],
)
def test_a_known_error_of_the_system_becomes_its_line(number: int, line: str) -> None:
    with pytest.raises(LaunchError) as told, plain_errors(PLACE):
        raise OSError(number, os.strerror(number))

    assert str(told.value) == line


def test_an_unknown_error_passes() -> None:
    with pytest.raises(OSError, match="Input/output"), plain_errors(PLACE):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_program_that_ran_out_of_space_is_explained() -> None:
    told = failure("It did not start.", "PANIC: could not write: No space left on device\nAborted", PLACE)

    assert str(told) == "The disk is full: nothing more can be written to /somewhere."


def test_a_program_nobody_knows_speaks_for_itself() -> None:
    said = "\n".join(str(number) for number in range(100))

    told = str(failure("It did not start.", said, PLACE)).splitlines()

    assert told[0] == "It did not start."
    assert told[1:] == [str(number) for number in range(85, 100)]
