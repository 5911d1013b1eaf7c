"""Who may talk to the studio, and who may not."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from eyespot.studio import guard
from eyespot.studio.guard import Guard

TOKEN = "the-secret"
HOME = "http://127.0.0.1:8765"


@pytest.fixture
def stranger() -> TestClient:
    """Somebody who has no token."""
    app = FastAPI()

    @app.get("/")
    def home() -> str:
        return "home"

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")

    return TestClient(Guard(app, TOKEN, 8765), base_url=HOME, follow_redirects=False)


@pytest.fixture
def client(stranger: TestClient) -> TestClient:
    """Who came by the printed address."""
    answer = stranger.get(f"/?token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"  # the token does not stay in the address
    return stranger


def test_a_stranger_sees_nothing(stranger: TestClient) -> None:
    for address in ("/", "/?token=", "/?token=wrong", "/nowhere"):
        answer = stranger.get(address)
        assert answer.status_code == 403
        assert "eyespot studio" in answer.text
    stranger.cookies.set("eyespot-8765", "wrong")
    assert stranger.get("/").status_code == 403


def test_the_token_is_a_cookie_that_scripts_and_other_sites_do_not_get(
    stranger: TestClient,
) -> None:
    cookie = stranger.get(f"/?token={TOKEN}").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/").text == '"home"'


def test_who_comes_from_elsewhere_is_let_in_by_a_page(stranger: TestClient) -> None:
    """A browser leaves a strict cookie out of a redirect that began at a file or at another site;
    a page of the studio's own that goes on gets it."""
    answer = stranger.get(f"/?token={TOKEN}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/"' in answer.text
    assert TOKEN not in answer.text
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert stranger.get("/").text == '"home"'
    wrong = stranger.get("/?token=wrong", headers={"Sec-Fetch-Site": "cross-site", "Cookie": ""})
    assert wrong.status_code == 403


def test_another_name_for_this_address_is_refused(client: TestClient) -> None:
    for host in ("evil.example:8765", "evil.example", "127.0.0.1:8766", "127.0.0.1", ""):
        assert client.get("/", headers={"Host": host}).status_code == 421
    assert client.get("/", headers={"Host": "localhost:8765"}).status_code == 200


def test_calls_come_from_the_studios_own_pages(client: TestClient) -> None:
    assert client.post("/length", content=b"12", headers={"Origin": HOME}).json() == 2
    for origin in ("http://evil.example", "null", "http://127.0.0.1:8766", f"{HOME}.evil.example"):
        assert client.post("/length", headers={"Origin": origin}).status_code == 403
        assert client.get("/", headers={"Origin": origin}).status_code == 403
    assert client.post("/length").status_code == 403  # a browser would have said


def test_conversations_are_guarded_too(client: TestClient) -> None:
    talk, own = "ws://127.0.0.1:8765/talk", {"Origin": HOME}
    with client.websocket_connect(talk, headers=own) as socket:
        assert socket.receive_text() == "hello"
    for headers in ({"Origin": "http://evil.example"}, {}):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(talk, headers=headers):
            pass
    client.cookies.clear()
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(talk, headers=own):
        pass


def test_every_answer_says_what_the_page_may_do(client: TestClient) -> None:
    for address, status in (("/", 200), ("/nowhere", 404)):
        answer = client.get(address)
        assert answer.status_code == status
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_packed_body_is_refused(client: TestClient) -> None:
    headers = {"Origin": HOME, "Content-Encoding": "gzip"}
    assert client.post("/length", content=b"1", headers=headers).status_code == 415


def test_too_much_at_once_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_UPLOAD_BYTES", 100)
    own = {"Origin": HOME}
    assert client.post("/length", content=b"x" * 100, headers=own).json() == 100
    refused = client.post("/length", content=b"x" * 101, headers=own)
    assert refused.status_code == 413
    assert "Send fewer files at once" in refused.text


@pytest.mark.anyio
async def test_a_body_of_unknown_length_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_UPLOAD_BYTES", 100)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 40

    parts: list[Message] = [{"type": "http.request", "body": piece} async for piece in pieces()]

    async def receive() -> Message:
        return parts.pop(0)

    bounded = guard._bounded(receive)
    assert [(await bounded())["type"] for _ in range(3)] == [
        "http.request",
        "http.request",
        "http.disconnect",
    ]
