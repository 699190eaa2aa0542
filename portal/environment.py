"""Reads the environment and refuses to start with one line that says which variable is wrong and why."""

import base64
import binascii
import sys
from collections.abc import Iterable
from typing import NoReturn
from urllib.parse import urlsplit

import environ

env = environ.Env()


def refuse(name: str, reason: str) -> NoReturn:
    """End start-up with one line for the operator."""
    sys.stderr.write(f"Switchboard cannot start: {name} {reason}\n")
    raise SystemExit(78)  # EX_CONFIG


def text(name: str, default: str | None = None) -> str:
    value = str(env.str(name, default=default or ""))
    if not value and default is None:
        refuse(name, "is not set.")
    return value


def flag(name: str, default: bool) -> bool:
    word = str(env.str(name, default="on" if default else "off")).strip().lower()
    if word not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
        refuse(name, f"must be on or off, not {word[:20]!r}.")
    return word in {"on", "true", "1", "yes"}


def seconds(name: str, default: float) -> float:
    word = str(env.str(name, default=str(default)))
    try:
        value = float(word)
    except ValueError:
        refuse(name, f"must be a number of seconds, not {word[:20]!r}.")
    if not 0 < value < 1e6:
        refuse(name, "must be a positive number of seconds.")
    return value


def count(name: str, default: int) -> int:
    word = text(name, str(default))
    if not word.isdecimal() or not 0 < int(word) < 1_000_000:
        refuse(name, f"must be a whole number from 1, not {word[:20]!r}.")
    return int(word)


def database(name: str) -> dict[str, object]:
    address = text(name)
    if not address.startswith(("postgres://", "postgresql://")):
        refuse(name, "must be a postgres:// address; no other database is supported.")
    try:
        return dict(env.db_url_config(address))
    except (ValueError, KeyError) as mistake:
        refuse(name, f"cannot be read ({type(mistake).__name__}).")


def redis(name: str) -> str:
    address = text(name)
    if urlsplit(address).scheme not in {"redis", "rediss"}:
        refuse(name, "must be a redis:// or rediss:// address.")
    return address


def vault_keys(name: str) -> dict[int, bytes]:
    """`2:BASE64,1:BASE64` as {id: 32 bytes}, the first being the one that new values are sealed with."""
    keys: dict[int, bytes] = {}
    for entry in text(name).split(","):
        number, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            refuse(name, f"entry {number[:10]!r} is not base64.")
        if not number.isdecimal() or not 0 < int(number) < 2**31:
            refuse(name, "needs entries of the form NUMBER:BASE64.")
        if len(key) != 32:
            refuse(name, f"key {number} has {len(key)} bytes; it needs 32.")
        if int(number) in keys:
            refuse(name, f"names key {number} twice.")
        keys[int(number)] = key
    return keys


def addresses(urls: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Host and port of each."""
    parts = [urlsplit(url) for url in urls]
    return frozenset((part.hostname, part.port) for part in parts if part.hostname and part.port)


def sandbox_urls(name: str) -> dict[str, str]:
    """`corecon=http://127.0.0.1:9101,…` as {vendor: address}."""
    found = {}
    for entry in filter(None, (part.strip() for part in text(name, "").split(","))):
        vendor, _, address = entry.partition("=")
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            refuse(name, f"entry {vendor[:20]!r} needs the form vendor=http://127.0.0.1:PORT.")
        found[vendor] = address.rstrip("/")
    return found
