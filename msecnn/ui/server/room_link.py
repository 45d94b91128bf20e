"""How phones find the page: this machine's addresses on the local network, and their QR pictures; nobody is asked."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import segno

#: Addresses of private networks and of documentation (RFC 1918, 5737): the system tells from which of its own it would
#: speak to them, without sending anything.
PROBES = ("10.255.255.255", "172.31.255.255", "192.168.255.255", "192.0.2.1")
#: Addresses that are offered at most.
MOST = 6


def base_addresses(own: str, port: int | None) -> list[str]:
    """Where phones may find the page: at the lecturer's own address unless that is this machine's alone, then others.

    None where the machine is on no network.

    Args:
        own: the page's address in the lecturer's browser, as far as its folder.
        port: on which the server was asked.
    """
    host, path = _host_and_path(own)
    first = [own] if host and not _is_this_machine(host) else []
    suffix = f":{port}" if port else ""
    others = [f"http://{address}{suffix}{path}" for address in local_addresses()]
    return list(dict.fromkeys([*first, *others]))[:MOST]


def _host_and_path(address: str) -> tuple[str, str]:
    """Of a page's address; "" and "/" where it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half a bracket of IPv6
        return "", "/"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "", "/"
    return parts.hostname, parts.path if parts.path.endswith("/") else "/"


def local_addresses() -> list[str]:
    """This machine's IPv4 addresses by which others may reach it, the likeliest first."""
    return list(dict.fromkeys(address for address in _own_addresses() if not _is_this_machine(address)))


def qr_rows(text: str) -> list[str]:
    """A QR picture, without its margin, as rows of "0" and "1" (dark).

    Shape:
        - one text for each row, of as many characters as there are rows
    """
    return ["".join(str(int(module)) for module in row) for row in segno.make(text, micro=False, error="m").matrix]


def _own_addresses() -> Iterable[str]:
    for probe in PROBES:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            try:
                sender.connect((probe, 9))  # a datagram socket sends nothing to connect
                yield sender.getsockname()[0]
            except OSError:  # no way leads there
                continue
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:  # the machine does not know its own name
        return
    yield from (str(sockaddr[0]) for *_, sockaddr in found)


def _is_this_machine(host: str) -> bool:
    """Whether a host is only ever the machine that asks."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
