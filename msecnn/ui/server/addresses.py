"""Whose address it is: who has one IPv6 address has a network of 2^64 of them, which count as one."""

import ipaddress

#: Bits of an IPv6 address that a provider gives to one customer at the least (RFC 6177).
IPV6_NETWORK_BITS = 64


def sharer(address: str) -> str:
    """What all addresses that one visitor may take have in common."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # of a socket on this machine, which has none
        return address
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(parsed), IPV6_NETWORK_BITS), strict=False))
