"""Listening sockets."""

import socket

BACKLOG = 2048
"""Connections that may wait to be accepted; uvicorn's default."""

FILES = 4_096
"""Open files, connections included, that suffice; the default of many systems is 1,024."""


def allow_many_files() -> None:
    """Raise the limit of open files to what `web.protocol` needs, if the system allows it."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine; `port` 0: any free port. Connections
    wait until the server has started. Raises OSError if the port is taken or the host unknown."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    # asyncio sets TCP_NODELAY only if the protocol is named; without it, responses in two parts
    # are delayed by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
