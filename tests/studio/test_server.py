"""The studio as a process: where it listens, and how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.studio.server import HOST, _listen


@pytest.fixture(scope="module")
def studio() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A studio at a free port, and its address."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "eyespot", "studio", "--no-browser", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
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


def test_ctrl_c_ends_it(studio: tuple[subprocess.Popen[str], str]) -> None:
    process, _ = studio
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=600) in (0, 130)


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("eyespot.studio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = CliRunner().invoke(app, ["studio", "--no-browser"])
    assert done.exit_code == 1
    assert 'pip install "eyespot[studio]"' in done.output
