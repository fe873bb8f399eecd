"""Classification of public internet addresses.

The ranges are copied from IANA's registries, because `ipaddress.is_global` differs between releases of Python, even
between two releases of 3.11.

* IPv4 Special-Purpose Address Registry, https://www.iana.org/assignments/iana-ipv4-special-registry
* IPv4 Multicast Address Space Registry, https://www.iana.org/assignments/multicast-addresses
* IPv6 Special-Purpose Address Registry, https://www.iana.org/assignments/iana-ipv6-special-registry
* Internet Protocol Version 6 Address Space, https://www.iana.org/assignments/ipv6-address-space, of which 2000::/3
  alone is global unicast

Ranges that a registry calls globally reachable are refused as well. They are anycast services (PCP, TURN, AS112, AMT),
whose nearest server may be in this very network, and identifiers; no picture is served from them.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SPECIAL_V4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private use",
    "100.64.0.0/10": "shared address space (carrier-grade NAT)",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local, cloud metadata among it",
    "172.16.0.0/12": "private use",
    "192.0.0.0/24": "IETF protocol assignments: service continuity, dummy, PCP and TURN anycast, NAT64 discovery",
    "192.0.2.0/24": "documentation (TEST-NET-1)",
    "192.31.196.0/24": "AS112-v4",
    "192.52.193.0/24": "AMT",
    "192.88.99.0/24": "deprecated 6to4 relay anycast, 6a44 relay anycast",
    "192.168.0.0/16": "private use",
    "192.175.48.0/24": "direct delegation AS112",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation (TEST-NET-2)",
    "203.0.113.0/24": "documentation (TEST-NET-3)",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, limited broadcast",
}

SPECIAL_V6 = {
    "::/3": "not global unicast: unspecified, loopback, IPv4 inside (compatible, mapped, SIIT, NAT64), discard-only",
    "2001::/23": "IETF protocol assignments: Teredo, anycast of PCP and TURN, benchmarking, AMT, AS112, ORCHID, DET",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4, which has an IPv4 address inside",
    "2620:4f:8000::/48": "direct delegation AS112",
    "3fff::/20": "documentation",
    "4000::/2": "not global unicast: segment routing (5f00::/16)",
    "8000::/1": "not global unicast: unique local, link-local, site-local, multicast",
}

_V4 = tuple(map(ipaddress.IPv4Network, SPECIAL_V4))
_V6 = tuple(map(ipaddress.IPv6Network, SPECIAL_V6))

_ISATAP = 0x0000_5EFE
"""The upper half of an interface identifier whose lower half is an IPv4 address (RFC 5214, 6.1)."""
_UNIVERSAL = 0x0200_0000
"""The bit that is set in it if that IPv4 address is globally unique."""


def is_public(address: Address) -> bool:
    """Return whether an address is a host's on the public internet, as seen from any network.

    An IPv4 address written as IPv6 (``::ffff:192.0.2.1``) is judged as the IPv4 address. Every other IPv6 address that
    contains an IPv4 address is refused, since a gateway in this network may route to it.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _V4)
    if address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    identifier = (int(address) >> 32) & 0xFFFF_FFFF
    return identifier & ~_UNIVERSAL != _ISATAP and not any(address in network for network in _V6)
