"""A socket that takes calls."""

import socket

BACKLOG = 2048
"""Calls that may wait, as uvicorn has it."""


FILES = 4_096
"""Open files, connections among them, that are enough; systems often allow 1,024 unless asked."""


def allow_many_files() -> None:
    """Let this process have as many connections open as `web.protocol` lets it, where the system
    does."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


def listen(host: str, port: int) -> socket.socket:
    """Bound to an address of this machine; `port` 0: any that is free. Who calls before the server
    has started waits for it. Raises OSError if the port is taken, or if there is no such host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    # Named, since asyncio sends at once only over what is called TCP; else answers that come in
    # two parts are held back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
