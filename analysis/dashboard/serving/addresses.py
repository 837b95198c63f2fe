"""Where other machines of the room find this one."""

import ipaddress
import socket
from collections.abc import Sequence

import psutil

from meanwatt.analysis.dashboard.serving.own_origin import EVERY_ADDRESS


def lan_addresses(host: str) -> list[str]:
    """Addresses at which a server that listens at ``host`` is reached from elsewhere; none at the loopback address."""
    if host in EVERY_ADDRESS:
        found = [
            entry.address
            for entries in psutil.net_if_addrs().values()
            for entry in entries
            if entry.family == socket.AF_INET
        ]
        return sorted({address for address in found if not _is_loopback(address)}, key=_home_first)
    return [] if _is_loopback(host) else [host]


def is_this_machine(address: str) -> bool:
    """Whether a request comes from the machine that serves it."""
    return _is_loopback(address) or address in {
        entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries
    }


def links(host: str, port: int, names: Sequence[str] = ()) -> list[str]:
    """What to type elsewhere to reach the server, further names first."""
    places = [name if ":" not in name else f"[{name}]" for name in (*names, *lan_addresses(host))]
    return [f"http://{place}:{port}" for place in places]


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _home_first(address: str) -> tuple[bool, bool, str]:
    """Addresses of a private network first, those that an interface gave itself last."""
    parsed = ipaddress.ip_address(address)
    return parsed.is_link_local, not parsed.is_private, address
