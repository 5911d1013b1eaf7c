"""A server of one file on this machine, which can misbehave as servers do."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 4096
"""One megabyte."""
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE_NAME = f"network-{DIGEST[:8]}.pth"


@dataclass
class Server:
    """`cut_after`: bytes of a response after which the connection ends, or with `stall` goes
    silent. `headers`: more of them, or other
    ones. `status`: of a whole file. `asked`: path and Range of every request."""

    url: str = ""
    file_name: str = FILE_NAME
    content: bytes = CONTENT
    ranges: bool = True
    tells_length: bool = True
    cut_after: int | None = None
    stall: bool = False
    redirect: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: tuple[int, str] = (200, "OK")
    hold: threading.Event | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            server.asked.append((self.path, wanted))
            if server.redirect is not None:
                self.send_response(302)
                self.send_header("Location", server.redirect)
                self.end_headers()
                return
            if not self.path.endswith(server.file_name):
                self.send_error(404)
                return
            start = 0
            if wanted and server.ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(server.content):
                    self.send_error(416)
                    return
                self.send_response(206)
                last = len(server.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            else:
                self.send_response(*server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            body = server.content[start:]
            if server.tells_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if server.hold is not None:
                server.hold.wait(30)
            self.wfile.write(body[: server.cut_after])
            if server.stall:
                self.wfile.flush()
                server.done.wait(30)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/models/"
    try:
        yield server
    finally:
        server.done.set()
        http.shutdown()
        thread.join()
        http.server_close()
