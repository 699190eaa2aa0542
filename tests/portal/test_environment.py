"""A wrong environment ends the start with one line; logs lose what looks like a secret."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.logs import redact

GOOD = {
    "SECRET_KEY": "x" * 50,
    "VAULT_KEYS": "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SITE_URL": "https://switchboard.example.com",
    "DATABASE_URL": "postgres://u:p@db/x",
    "REDIS_URL": "redis://r/0",
}


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env={"PATH": os.environ["PATH"], **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_good_environment_starts() -> None:
    assert start().returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in GOOD),
        ("VAULT_KEYS", "1:short"),
        ("VAULT_KEYS", "one:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("VAULT_KEYS", "1:AAAA"),
        ("SITE_URL", "http://switchboard.example.com"),
        ("SITE_URL", "switchboard.example.com"),
        ("DATABASE_URL", "mysql://u:p@db/x"),
        ("REDIS_URL", "memory://"),
        ("SYNC_LEASE_SECONDS", "soon"),
        ("SYNC_SLICE_SECONDS", "-1"),
        ("DEBUG", "perhaps"),
        ("SANDBOX_URLS", "kore=http://127.0.0.1:9000"),  # without DEMO=on
    ],
)
def test_a_wrong_variable_is_named_in_one_line(name: str, value: str | None) -> None:
    refused = start(**{name: value})
    assert refused.returncode == 78
    assert refused.stderr.count("\n") == 1
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "line",
    [
        "POST /token client_secret=hush-hush-1 grant",
        "Authorization: Bearer hush-hush-1",
        '{"access_token": "hush-hush-1"}',
        "postgres://portal:hush-hush-1@db/x",
        "GET /callback?code=hush-hush-1&state=y",
        "Ocp-Apim-Subscription-Key: hush-hush-1",
    ],
)
def test_a_secret_is_taken_out_of_a_log_line(line: str) -> None:
    assert "hush-hush-1" not in redact(line)


@given(st.text(alphabet=st.characters(min_codepoint=97, max_codepoint=122), min_size=3))
def test_plain_words_stay(words: str) -> None:
    assert redact(f"run finished {words}") == f"run finished {words}"
