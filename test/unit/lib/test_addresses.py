"""Which addresses a user's URL may reach."""

from __future__ import annotations

import ipaddress

import pytest

from hysds.lib import addresses


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:0",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
        "2001:0:1::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_no_address_that_is_not_public_is_called(text: str) -> None:
    """Whatever notation hides it: mapped, compatible, translated, tunnelled."""
    assert not addresses.may_be_called(text, "host.example", ())
    assert not addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_are_called(text: str) -> None:
    """Also those that a translator hides."""
    assert addresses.may_be_called(text, "host.example", ())


@pytest.mark.parametrize(
    ("text", "host", "allow"),
    [
        ("10.1.2.3", "any.example", ("10.1.0.0/16",)),
        ("::ffff:10.1.2.3", "any.example", ("10.1.0.0/16",)),
        ("10.1.2.3", "any.example", ("fd00::/8", "10.1.2.3")),
        ("fd00::5", "any.example", ("10.1.0.0/16", "fd00::/8")),
        ("127.0.0.1", "Hooks.Example.", ("hooks.example",)),
    ],
)
def test_what_the_settings_allow_is_called(text: str, host: str, allow: tuple[str, ...]) -> None:
    """By network or by the host's name."""
    assert addresses.may_be_called(text, host, allow)


@pytest.mark.parametrize(
    ("text", "host", "allow"),
    [
        ("10.2.0.1", "any.example", ("10.1.0.0/16",)),
        ("127.0.0.1", "evil.example", ("hooks.example",)),
        ("127.0.0.1", "hooks.example.evil.example", ("hooks.example",)),
        ("no address", "hooks.example", ("hooks.example",)),
    ],
)
def test_what_is_allowed_allows_nothing_beside_it(text: str, host: str, allow: tuple[str, ...]) -> None:
    """Neither the next network nor a name that begins alike."""
    assert not addresses.may_be_called(text, host, allow)


@pytest.mark.parametrize(
    "entry", ["10.1.0.1/16", "10.1", "300.1.1.1", "http://hooks", "a b", "host:80", "", "*.example"]
)
def test_an_entry_that_is_neither_network_nor_host_is_told(entry: str) -> None:
    """A wrong one would allow nothing, or too much."""
    assert addresses.entry_problem(entry)


@pytest.mark.parametrize(
    "entry", ["10.1.0.0/16", "127.0.0.1", "::1", "fd00::/8", "hooks", "hooks.example.org"]
)
def test_networks_and_hosts_are_entries(entry: str) -> None:
    """Both forms."""
    assert addresses.entry_problem(entry) is None
