"""Which addresses are of the open internet, whatever they are wrapped in."""

import socket
from datetime import timedelta

import pytest

from integrations import network
from integrations.addresses import is_public
from integrations.errors import ConfigurationNeeded, RetryLater
from integrations.http import Exchange, Http


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860:4860::8888"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1", "100.64.0.1"),
        *("192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1%eth0", "fec0::1", "fd00:ec2::254", "ff0e::1", "2001:db8::1", "3fff::1", "4000::1"),
        *("::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::"),
        *("2001:0:7f00:1::", "100::1", "5f00::1"),
    ],
)
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(address)


def test_a_name_that_changes_its_mind_is_asked_once_for_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["203.0.114.7"], ["203.0.114.7", "169.254.169.254"], ["64:ff9b::a9fe:a9fe"]])
    connected: list[object] = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    def connect(address: object, *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(network.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    out = Http()
    with pytest.raises(RetryLater):
        out.send("GET", "http://vendor.example/")
    for _ in range(2):
        with pytest.raises(ConfigurationNeeded):
            out.send("GET", "http://vendor.example/")
    assert connected == [("203.0.114.7", 80)]


@pytest.mark.parametrize("url", ["http://a\0b/c\0d", "http://[", "http://exa\u2100mple", "http://a\ud800/\ud800"])
def test_an_address_that_is_none_is_still_logged(url: str) -> None:
    exchanges: list[Exchange] = []
    with pytest.raises((ConfigurationNeeded, RetryLater)):
        Http(record=exchanges.append).send("GET", url, query=[("from", "\ud800")], timeout=timedelta(seconds=5))
    (exchange,) = exchanges
    assert "\0" not in exchange.host + exchange.path
    assert (exchange.host + exchange.path).isprintable()
