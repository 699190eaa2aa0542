"""Connections to vendors: to public addresses only, for so long and so many bytes only.

The address is checked when connecting, so that a name cannot change its mind.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from integrations.addresses import is_public
from integrations.errors import too_large


class Limits(threading.local):
    """When the exchange that this thread carries out must be over (monotonic seconds), and what may still come."""

    ends_at = float("inf")
    bytes_left = float("inf")

    def take(self, count: int) -> None:
        """So many bytes came. Raises VendorChanged when they are too many."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise too_large()

    def left(self, timeout: float | None) -> float:
        """Never longer than what is left of the whole exchange. Raises httpcore.ReadTimeout when that is nothing."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange took too long")
        return left if timeout is None else min(timeout, left)


limits = Limits()


class _LimitedStream(httpcore.NetworkStream):
    """A connection on which a drip of bytes does not buy time: every wait ends with the exchange. Nor does a flood of
    what is no body (interim answers, the frames of tiny chunks) go on for ever."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = self._stream.read(max_bytes, limits.left(timeout))
        limits.take(len(received))
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, limits.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, limits.left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects only to public addresses, and to the sandbox's where it is switched on."""

    def __init__(self, allowed: frozenset[tuple[str, int]]) -> None:
        self._network = httpcore.SyncBackend()
        self._allowed = allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        if (host, port) in self._allowed:
            return self._connect(host, port, timeout, local_address, socket_options)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as failure:
            raise UnknownHost(host) from failure
        addresses = [str(entry[4][0]) for entry in found]
        if not all(map(is_public, addresses)):
            raise ForbiddenAddress(host)
        return self._connect(addresses[0], port, timeout, local_address, socket_options)

    def _connect(
        self, host: str, port: int, timeout: float | None, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        return _LimitedStream(self._network.connect_tcp(host, port, limits.left(timeout), local_address, options))


class ForbiddenAddress(Exception):
    """A name that leads into our own network."""


class UnknownHost(Exception):
    """A name that leads nowhere: mistyped, or the name service is away."""
