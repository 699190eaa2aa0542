"""Which addresses lie outside every network of our own."""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Not all of these are known to every Python we run on (IANA special-purpose registries, read 2026-11).
_RESERVED_4 = tuple(map(IPv4Network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24")))
_RESERVED_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # nothing else of the newer protocol is given out to anybody (RFC 4291)
_TRANSLATED = IPv6Network("64:ff9b::/96")  # the last 32 bits are the older protocol's address (NAT64, RFC 6052)


def is_public(address: str) -> bool:
    """Whether the address is one of the open internet. One that carries another inside is judged by that; tunnels
    that would hide it (6to4, Teredo) are not public. Raises ValueError for what is no address."""
    found = ipaddress.ip_address(address)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or (IPv4Address(int(found) & 0xFFFFFFFF) if found in _TRANSLATED else None)
        if inner is None:
            return found in _GLOBAL_UNICAST and found.is_global and not any(found in net for net in _RESERVED_6)
        found = inner
    return found.is_global and not found.is_multicast and not any(found in net for net in _RESERVED_4)
