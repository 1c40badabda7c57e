"""Which addresses are the public internet's, whatever notation hides another one in them."""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address

_HOST = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def may_be_called(address: str, host: str, allow: tuple[str, ...]) -> bool:
    """Whether an address of a host is public, or allowed: a network that holds it, or the host's own name."""
    try:
        found = _bare(ipaddress.ip_address(address))
    except ValueError:
        return False
    for entry in allow:
        network = _network(entry)
        if network is None and entry.lower() == host.lower().rstrip("."):
            return True
        if network is not None and found.version == network.version and found in network:
            return True
    return is_public(found)


def is_public(address: Address) -> bool:
    """Whether the address can be anybody's on the internet: no private, local, shared, reserved or group address, and
    none that stands for one.
    """
    found = _bare(address)
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    if isinstance(found, IPv4Address):
        return True
    return not (found.is_site_local or found.sixtofour or found.teredo)


def bind_problem(text: str) -> str | None:
    """What is wrong with what should be an address of this host; None if nothing is."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return f"{text!r:.60} is no address: such as 127.0.0.1, or 0.0.0.0 for all of this host's"
    return None


def entry_problem(entry: str) -> str | None:
    """What is wrong with an entry that should name a network or a host; None if nothing is."""
    if _network(entry) is not None:
        return None
    if re.fullmatch(r"[0-9./:]+", entry) or "/" in entry or not _HOST.fullmatch(entry):
        return (
            f"{entry!r:.60} is neither a network, such as 10.1.0.0/16, nor a host, such as hooks.example.org"
        )
    return None


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None


def _bare(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only writes in another way, or is translated to."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
