"""Public addresses, compared with IANA's registries of 2025, row by row."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steamdino.net.addresses import SPECIAL_V4, SPECIAL_V6, is_public

REGISTRY_V4 = (
    # iana-ipv4-special-registry
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32",
    "192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32",
    "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    "255.255.255.255/32",
    # multicast-addresses
    "224.0.0.0/4",
)  # fmt: skip
REGISTRY_V6 = (
    # iana-ipv6-special-registry
    "::1/128", "::/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
    "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48",
    "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10",
    # ipv6-address-space, and RFCs 3879, 4291 and 2765
    "fec0::/10", "ff00::/8", "::/96", "::ffff:0:0:0/96", "::/8", "100::/8", "200::/7", "400::/6", "800::/5", "1000::/4",
    "4000::/3", "6000::/3", "8000::/3", "a000::/3", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/9",
)  # fmt: skip
UNICAST = ipaddress.IPv6Network("2000::/3")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def _special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether a row of a registry contains an address: the oracle."""
    rows = REGISTRY_V4 if address.version == 4 else REGISTRY_V6
    return any(address in _network(row) for row in rows)


@pytest.mark.parametrize("row", [*REGISTRY_V4, *REGISTRY_V6])
def test_each_row_of_the_registries_is_refused_at_both_ends_and_only_there(row: str) -> None:
    network = _network(row)
    first, last = int(network[0]), int(network[-1])
    make = type(network[0])
    for number in (first, (first + last) // 2, last):
        assert not is_public(make(number)), make(number)
    for number in (first - 1, last + 1):
        if 0 <= number < 2**network.max_prefixlen:
            assert is_public(make(number)) != _special(make(number)), make(number)


def test_the_tables_hold_nothing_but_rows_of_the_registries() -> None:
    """The first and last addresses belong to a row; those just outside are public or belong to another row."""
    for text in (*SPECIAL_V4, *SPECIAL_V6):
        network = _network(text)
        make = type(network[0])
        for number in (int(network[0]), int(network[-1])):
            assert _special(make(number)), make(number)
        for number in (int(network[0]) - 1, int(network[-1]) + 1):
            if 0 <= number < 2**network.max_prefixlen:
                assert is_public(make(number)) != _special(make(number)), make(number)


@given(st.ip_addresses(v=4))
@example(ipaddress.IPv4Address("192.88.98.255"))
@example(ipaddress.IPv4Address("8.8.8.8"))
def test_every_other_ipv4_address_is_public(address: ipaddress.IPv4Address) -> None:
    assert is_public(address) != _special(address)


@given(st.ip_addresses(v=6))
@example(ipaddress.IPv6Address("2606:4700:4700::1111"))
@example(ipaddress.IPv6Address("2001:200::1"))
@example(ipaddress.IPv6Address("2003::1"))
def test_every_other_ipv6_global_unicast_address_is_public(address: ipaddress.IPv6Address) -> None:
    isatap = f"{int(address) & 2**64 - 1:016x}"[:8] in ("00005efe", "02005efe")
    if address.ipv4_mapped:
        assert is_public(address) == is_public(address.ipv4_mapped)
    else:
        assert is_public(address) == (address in UNICAST and not _special(address) and not isatap)


@given(st.ip_addresses(v=4))
@example(ipaddress.IPv4Address("127.0.0.1"))
@example(ipaddress.IPv4Address("169.254.169.254"))
@example(ipaddress.IPv4Address("8.8.8.8"))
def test_an_ipv4_address_inside_ipv6_is_never_reached_through_a_gateway(
    address: ipaddress.IPv4Address,
) -> None:
    number = int(address)
    high, low = number >> 16, number & 0xFFFF
    assert is_public(ipaddress.IPv6Address(f"::ffff:{address}")) == is_public(address)
    for text in (
        f"::{address}",  # compatible
        f"::ffff:0:{address}",  # SIIT
        f"64:ff9b::{address}",  # NAT64
        f"64:ff9b:1::{address}",
        f"64:ff9b:1:fffe:{high:x}:{low >> 8:x}:{low & 255:x}00:0",
        f"2002:{high:x}:{low:x}::1",  # 6to4
        f"2001:0:{high:x}:{low:x}::1",  # Teredo, the server's
        f"2001:0:4136:e378:8000:63bf:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}",  # Teredo, the client's
        f"fe80::5efe:{address}",  # ISATAP
        f"2606:4700:4700:1:0:5efe:{address}",
        f"2606:4700:4700:1:200:5efe:{address}",
    ):
        assert not is_public(ipaddress.IPv6Address(text)), text
    # Numbers that merely look like it are no gateway's.
    for text in (
        f"2606:4700:4700:1:100:5efe:{address}",
        f"2606:4700:4700:1:0:5eff:{address}",
        f"2606::{address}",
    ):
        assert is_public(ipaddress.IPv6Address(text)), text
