"""Forbid the network to this process and to every Python it starts.

Python imports a module of this name at start when its folder is on PYTHONPATH; conftest.py puts it
there. An audit hook sees every connection that Python code opens, also in forked children and in
code that swallows exceptions, so each attempt is written to a log that the tests then read.
"""

import ipaddress
import os
import sys
from typing import Any

LOG_VARIABLE = "EYESPOT_TEST_NETWORK_LOG"
_EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


def is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    address = arguments[_EVENTS[event]]
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if not isinstance(host, str) or (event.startswith("socket.get") and is_loopback(host)):
        return
    if event.startswith("socket.") and not isinstance(address, tuple) and "get" not in event:
        return  # a Unix socket: its address is a path
    if is_loopback(host):
        return
    with open(os.environ[LOG_VARIABLE], "a", encoding="utf-8") as log:  # noqa: PTH123
        log.write(f"{event} {host} by {' '.join(sys.argv[:3])}\n")
    raise PermissionError(f"a test tried to reach the network: {event} {host}")


if LOG_VARIABLE in os.environ:
    sys.addaudithook(_refuse_network)
