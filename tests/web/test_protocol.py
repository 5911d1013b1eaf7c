"""What is bounded of HTTP, over real connections: the same for the server and the studio."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eyespot.limits import MAX_HEAD_BYTES, MAX_HEADERS, MAX_URL_BYTES
from eyespot.web import draining, protocol
from eyespot.web.draining import Draining
from eyespot.web.listening import listen
from eyespot.web.protocol import bounded

PATIENCE = 600.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """/refused is answered before its body is read; elsewhere the length of the body is told."""
    request = Request(scope, receive)
    if request.url.path == "/refused":
        await Response("no", 413)(scope, receive, send)
    elif request.url.path == "/long":
        await Response(bytes(30_000_000))(scope, receive, send)
    else:
        with suppress(ClientDisconnect):
            body = await request.body()
            await Response(f"{len(body)}")(scope, receive, send)


@contextmanager
def serving(seconds: float = PATIENCE, served: Any = app) -> Iterator[tuple[str, int]]:
    form = bounded(seconds, lambda code, message: {"code": code, "message": message})
    config = uvicorn.Config(Draining(served), http=form, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        where = listener.getsockname()
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield where
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def where() -> Iterator[tuple[str, int]]:
    with serving() as where:
        yield where


def told(caller: socket.socket) -> tuple[int, bytes]:
    """Status and body of an answer, after which the connection is closed."""
    caller.settimeout(PATIENCE)
    whole = b""
    while part := caller.recv(100_000):
        whole += part
    head, _, body = whole.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def call(where: tuple[str, int], *parts: bytes) -> tuple[int, bytes]:
    with socket.create_connection(where, PATIENCE) as caller:
        for part in parts:
            caller.sendall(part)
        return told(caller)


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"GET / HTTP/1.1\r\n", *[b"a: b\r\n"] * (MAX_HEADERS + 2)], 431),
        ([b"GET / HTTP/1.1\r\na: ", bytes(range(65, 75)) * (MAX_HEAD_BYTES // 5)], 431),
        ([b"GET /", b"a" * (2 * MAX_HEAD_BYTES)], 431),
        ([b"GET /", b"a" * MAX_URL_BYTES, b" HTTP/1.1\r\nHost: a\r\n\r\n"], 414),
        ([b"hello\r\n\r\n"], 400),
        ([b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"], 400),
        # What is no body, in a body: the extension of a part, and headers behind the end.
        (
            [
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
                b"a" * (2 * MAX_HEAD_BYTES),
            ],
            431,
        ),
        (
            [
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
                *[b"a: b\r\n"] * (MAX_HEADERS + 1),
            ],
            431,
        ),
        (
            [
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: ",
                b"a" * (2 * MAX_HEAD_BYTES),
            ],
            431,
        ),
    ],
)
def test_what_is_too_large_is_refused_in_a_sentence(
    where: tuple[str, int], parts: list[bytes], status: int
) -> None:
    found, body = call(where, *parts)
    assert found == status
    said = json.loads(body)
    assert set(said) == {"code", "message"}
    assert said["message"].endswith(".")


@pytest.mark.parametrize("length", [0, 100, MAX_URL_BYTES - 1])
def test_what_is_not_too_large_is_answered(where: tuple[str, int], length: int) -> None:
    head = b"POST /" + b"a" * length + b" HTTP/1.1\r\nConnection: close\r\n"
    headers = b"".join(b"a%d: %s\r\n" % (n, b"b" * 400) for n in range(MAX_HEADERS - 3))
    body = bytes(1_000_000)
    sent = head + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert call(where, sent) == (200, b"1000000")


def test_a_body_in_small_parts_is_no_overhead(where: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = b"1\r\nx\r\n" * (MAX_HEAD_BYTES // 2)
    assert call(where, head, parts, b"0\r\n\r\n") == (200, b"%d" % (MAX_HEAD_BYTES // 2))


def test_a_refusal_is_read_also_by_who_sends_everything_first(where: tuple[str, int]) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{where[1]}/refused", bytes(40_000_000))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE)
    assert refused.value.code == 413
    assert refused.value.read() == b"no"
    refused.value.close()


def test_a_connection_goes_on_after_a_refusal(where: tuple[str, int]) -> None:
    with socket.create_connection(where, PATIENCE) as caller:
        length, body = 1_000_000, bytes(1_000_000)
        caller.sendall(b"POST /refused HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length + body)
        caller.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        status, rest = told(caller)
    assert status == 413
    assert b"200 OK" in rest


def test_the_next_request_may_come_before_the_answer(where: tuple[str, int]) -> None:
    with socket.create_connection(where, PATIENCE) as caller:
        head = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
        caller.sendall(b"GET / HTTP/1.1\r\n\r\n" + head + b"a")
        assert caller.recv(10_000).endswith(b"0")
        caller.sendall(b"b")
        assert told(caller) == (200, b"2")


def test_no_more_than_a_bounded_rest_is_drained(
    where: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "MAX_DRAINED_BYTES", 100_000)
    monkeypatch.setattr(protocol, "MAX_DRAINED_BYTES", 100_000)
    endless = b"POST /refused HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % 10**12
    for head in (endless, b"GET /%s" % (b"a" * 2 * MAX_HEAD_BYTES)):
        with socket.create_connection(where, PATIENCE) as caller, suppress(ConnectionError):
            caller.sendall(head)
            while True:  # until the connection is closed
                caller.sendall(bytes(1_000_000))


def test_who_asks_first_sends_nothing(where: tuple[str, int]) -> None:
    head = b"POST /refused HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"
    assert call(where, head) == (413, b"no")


def test_a_head_that_does_not_end_in_time() -> None:
    with serving(0.1) as where:
        found = (0, b"")
        while not found[0]:  # a busy machine may not have sent its first byte in time
            with suppress(IndexError):
                found = call(where, b"GET / HTTP/1.1\r\nHost")
    assert found[0] == 408
    assert b"too_slow" in found[1]


def test_a_connection_that_says_nothing_is_closed() -> None:
    with serving(0.05) as where, socket.create_connection(where, PATIENCE) as caller:
        assert caller.recv(10) == b""


def test_who_does_not_read_is_left() -> None:
    with serving(0.05) as where, socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.settimeout(PATIENCE)
        caller.connect(where)
        caller.sendall(b"GET /long HTTP/1.1\r\n\r\n")
    # Else the server would not have ended: it waits until its connections are closed.


def test_too_many_connections_push_out_who_waits_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(protocol, "YOUNG", 0)
    grown, age = [], protocol._Bounded._age

    def notice(self: Any, group: Any, rounds: int) -> None:
        age(self, group, rounds)
        grown.extend(group)

    monkeypatch.setattr(protocol._Bounded, "_age", notice)
    with serving() as where:
        first, second = (socket.create_connection(where, PATIENCE) for _ in range(2))
        while not grown:
            pass
        third = socket.create_connection(where, PATIENCE)
        with first, second, third:
            assert told(first)[0] == 503
            for caller in (second, third):
                caller.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert told(caller) == (200, b"0")


def test_where_all_are_busy_the_newest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(protocol, "YOUNG", PATIENCE)
    with serving() as where, socket.create_connection(where, PATIENCE) as first:
        assert call(where)[0] == 503
        first.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert told(first) == (200, b"0")


def test_more_than_can_be_told_so_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 0)
    monkeypatch.setattr(protocol, "SPARE", 1)
    monkeypatch.setattr(protocol, "YOUNG", PATIENCE)
    with serving() as where, socket.create_connection(where, PATIENCE) as first:
        assert told(first)[0] == 503
        with socket.create_connection(where, PATIENCE) as second, suppress(ConnectionError):
            assert second.recv(10) == b""


def test_requests_without_end_on_one_connection(where: tuple[str, int]) -> None:
    waits = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    _, rest = call(where, waits * 1000)
    assert rest.endswith(b"}")
    assert b"busy" in rest
