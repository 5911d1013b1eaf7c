"""Forbid the network to this process and to every Python it starts.

Python imports a module of this name at start when its folder is on PYTHONPATH; conftest.py puts it
there. An audit hook sees every connection that Python code opens, also in forked children and in
code that swallows exceptions, so each attempt is written to a log that the tests then read.
"""

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

# event -> where its address stands among the event's arguments
_EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


def outside_host(address: object) -> str | None:
    """The host that an address names, or None where it stays on this machine."""
    if isinstance(address, tuple):
        host = address[0]
    elif isinstance(address, str) and not address.startswith(("/", "\0")):
        host = address  # a name to look up; a Unix socket's address is a path
    else:
        return None
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host in ("", "localhost", None):
        return None
    try:
        return None if ipaddress.ip_address(host.partition("%")[0]).is_loopback else host
    except ValueError:
        return str(host)


def forbid_network(log: Path) -> None:
    """Refuse, and append to `log`, every connection or look-up that leaves this machine."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and (host := outside_host(arguments[_EVENTS[event]])):
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{event} {host} by {' '.join(sys.argv[:3])}\n")
            raise PermissionError(f"a test tried to reach the network: {event} {host}")

    sys.addaudithook(refuse)


if "EYESPOT_TEST_NETWORK_LOG" in os.environ:
    forbid_network(Path(os.environ["EYESPOT_TEST_NETWORK_LOG"]))
