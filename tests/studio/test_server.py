"""The studio as a process: where it listens, and how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.studio import server
from eyespot.studio.server import HOST, _listen
from tests.studio.browser import open_studio


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the studio wrote to standard error."""
    return tmp_path_factory.mktemp("studio") / "stderr"


@pytest.fixture(scope="module")
def studio(complaints: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A studio at a free port, and its address."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "eyespot", "studio", "--no-browser", "--port", str(port)]
    with (
        complaints.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        address = next(line.strip() for line in process.stdout if "http://" in line)
        yield process, address
        process.kill()


def test_it_serves_who_has_its_address(studio: tuple[subprocess.Popen[str], str]) -> None:
    _, address = studio
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
    with httpx.Client(follow_redirects=True, trust_env=False) as client:
        home = address.partition("?")[0]
        assert client.get(home).status_code == 403
        assert "eyespot studio" in client.get(address).text
        assert client.get(f"{home}zoo.html").status_code == 200
        for page in ("zoo.html", "api/projects"):  # a file, and a route
            answer = client.head(f"{home}{page}")
            assert (answer.status_code, answer.content) == (200, b"")


def test_what_is_no_sound_request_is_told_in_the_studios_form(
    studio: tuple[subprocess.Popen[str], str],
) -> None:
    port = int(studio[1].rpartition(":")[2].partition("/")[0])
    for sent, status in ((b"hello\r\n\r\n", 400), (b"GET /" + b"a" * 10_000, 431)):
        with socket.create_connection((HOST, port)) as caller:
            caller.sendall(sent + b"a" * 70_000 * (status == 431))
            answer = b"".join(iter(lambda: caller.recv(10_000), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert int(head.split()[1]) == status
        assert list(json.loads(body)) == ["error"]


def test_answers_are_not_held_back() -> None:
    """asyncio turns Nagle's algorithm off for sockets that say they are TCP, and for no others."""
    with _listen(None) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_said(studio: tuple[subprocess.Popen[str], str]) -> None:
    port = studio[1].rpartition(":")[2].partition("/")[0]
    done = CliRunner().invoke(app, ["studio", "--no-browser", "--port", port])
    assert done.exit_code == 2
    assert f"port {port}" in done.output
    assert "--port 8800" in done.output


def say(address: str, *parts: bytes) -> bytes:
    """Send to the studio what no client sends; all that comes back until it hangs up."""
    where = urlsplit(address)
    own = f"Host: {where.netloc}\r\nOrigin: http://{where.netloc}\r\n"
    own += f"Cookie: eyespot-{where.port}={where.query.removeprefix('token=')}\r\n"
    with socket.create_connection((HOST, where.port or 0)) as line:
        for part in parts:
            line.sendall(part.replace(b"OWN\r\n", own.encode()))
        answer = b""
        while more := line.recv(65536):
            answer += more
    return answer


CHUNKED = b"POST /api/projects HTTP/1.1\r\nOWN\r\nTransfer-Encoding: chunked\r\n\r\n"
UPLOAD = CHUNKED.replace(b"projects", b"projects/import?name=a.zip")


@pytest.mark.parametrize(
    "parts",
    [
        [b"\0\r\n\r\n"],
        [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"],  # as TLS begins
        [b"GET /\xff HTTP/1.1\r\nOWN\r\n\r\n"],
        [b"GET / HTTP/1.1\r\nOWN\r\nName : x\r\n\r\n"],
        [b"POST /api/projects HTTP/1.1\r\nOWN\r\nContent-Length: x\r\n\r\n"],
        [CHUNKED + b"ZZ\r\n"],
        [UPLOAD, b"3\r\nabc\r\n", b"ZZ\r\n"],
    ],
)
def test_what_is_no_request_is_refused_as_all_else_is(
    parts: list[bytes], studio: tuple[subprocess.Popen[str], str]
) -> None:
    head, _, body = say(studio[1], *parts).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in head
    assert "Expected an HTTP/1.1 request" in json.loads(body)["error"]


def test_nothing_is_said_to_who_breaks_off_within_an_answer(
    studio: tuple[subprocess.Popen[str], str],
) -> None:
    """The guard has refused it; what follows is no HTTP, and there is nothing to add."""
    foreign = CHUNKED.replace(b"OWN", b"Host: x")
    assert say(studio[1], foreign, b"ZZ\r\n").count(b"HTTP/1.1 4") == 1


def test_a_client_that_goes_away_is_no_fault_of_the_studio(
    studio: tuple[subprocess.Popen[str], str], complaints: Path
) -> None:
    port = urlsplit(studio[1]).port or 0
    with socket.create_connection((HOST, port)) as line:
        line.sendall(UPLOAD + b"3\r\nabc\r\n")
    with httpx.Client(follow_redirects=True, trust_env=False) as client:
        assert client.get(studio[1]).status_code == 200
    assert "Traceback" not in complaints.read_text()


def test_ctrl_c_ends_it(studio: tuple[subprocess.Popen[str], str], complaints: Path) -> None:
    """Also while the rest of an upload is on its way."""
    process, address = studio
    with socket.create_connection((HOST, urlsplit(address).port or 0)) as line:
        where = urlsplit(address)
        own = f"Host: {where.netloc}\r\nOrigin: http://{where.netloc}\r\n".encode()
        own += f"Cookie: eyespot-{where.port}={where.query.removeprefix('token=')}\r\n".encode()
        line.sendall(UPLOAD.replace(b"OWN\r\n", own) + b"3\r\nabc\r\n")
        with httpx.Client(follow_redirects=True, trust_env=False) as client:
            client.get(address)  # by now the upload is being read
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=600) in (0, 130)
    said = complaints.read_text()
    assert "Traceback" not in said
    assert "never retrieved" not in said


def test_the_browser_is_not_called_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may list this machine's processes reads what they were called with."""
    said: list[str] = []
    opened: list[str] = []

    def open_page(address: str) -> bool:
        opened.append(address)
        page = Path(unquote(urlsplit(address).path))
        assert page.stat().st_mode & 0o777 == 0o600
        assert page.parent.stat().st_mode & 0o777 == 0o700
        assert f'content="0; url={said[0]}"' in page.read_text()
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    monkeypatch.setattr(server._Server, "run", lambda self, sockets: None)
    server.run(None, said.append)
    (address,) = opened
    assert address.startswith("file:///")
    assert urlsplit(said[0]).query.removeprefix("token=") not in address
    assert not Path(unquote(urlsplit(address).path)).exists()


@pytest.mark.browser
def test_the_page_that_the_browser_opens_redirects_to_the_studio() -> None:
    with open_studio() as studio, server._redirect_page(studio.address) as redirect:
        for _ in range(2):
            page = studio.browser.new_context().new_page()
            page.goto(redirect.as_uri(), wait_until="commit")
            page.wait_for_url(studio.address.partition("?")[0])
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.reload()
            expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("eyespot.studio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = CliRunner().invoke(app, ["studio", "--no-browser"])
    assert done.exit_code == 1
    assert 'pip install "eyespot[studio]"' in done.output
