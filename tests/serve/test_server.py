"""The server as a process: where it listens, how it ends, and what it takes notice of."""

import errno
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from PIL import Image
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.serve import server
from eyespot.serve.settings import Settings
from eyespot.tasks.task import load
from eyespot.web.listening import listen
from tests.serve.conftest import PATIENCE
from tests.serve.test_app import jpeg

PREDICT = "/v1/models/surfaces:predict"
PICTURE = {"Content-Type": "image/jpeg"}
DOCUMENTATION = Path(__file__).parents[2] / "docs/guides/serve.md"


@dataclass
class Server:
    process: subprocess.Popen[str]
    address: str
    log: IO[str]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2].strip("/"))

    def stop(self) -> tuple[int, list[dict[str, object]]]:
        self.process.terminate()
        return self.end()

    def end(self) -> tuple[int, list[dict[str, object]]]:
        """Its exit code, and all that it wrote down."""
        self.process.communicate(timeout=PATIENCE)
        self.log.seek(0)
        return self.process.returncode, [json.loads(line) for line in self.log]


@contextmanager
def serving(*arguments: object, folder: Path | None = None) -> Iterator[Server]:
    program = Path(sys.executable).with_name("eyespot")
    line = [str(program), "serve", *map(str, arguments), "--port", "0"]
    if "--timeout" not in arguments:  # a busy machine is no fault of the server
        line += ["--timeout", str(PATIENCE)]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, process.wait(PATIENCE)
            yield Server(process, found[0], log)
        finally:
            process.kill()


@pytest.fixture
def path(surfaces: Path, tmp_path: Path) -> Path:
    """A copy of the classifier that may be changed."""
    return Path(shutil.copy(surfaces, tmp_path / "surfaces.eyespot"))


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_what_was_accepted_is_answered_before_it_ends(path: Path, how: signal.Signals) -> None:
    photo = jpeg("grass")
    with serving(path) as running:
        ready = httpx.get(f"{running.address}readyz", timeout=PATIENCE, trust_env=False)
        assert ready.status_code == 200
        caller = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
        caller.putrequest("POST", PREDICT)
        caller.putheader("Content-Type", "image/jpeg")
        caller.putheader("Content-Length", str(len(photo)))
        caller.putheader("Expect", "100-continue")
        caller.endheaders()
        assert caller.sock is not None
        assert b"100 Continue" in caller.sock.recv(1000)  # it has begun with this request
        running.process.send_signal(how)
        while is_open(running.port):
            time.sleep(0.02)
        caller.send(photo)
        answer = caller.getresponse()
        assert answer.status == 200
        assert json.load(answer)["predictions"][0]["top"][0]["label"] == "grass"
        code, lines = running.end()
    assert code == 0
    started, *asked, stopped = lines
    assert (
        started.items()
        >= {
            "event": "started",
            "address": running.address,
            "models": ["surfaces"],
        }.items()
    )
    assert [line.get("status", line["event"]) for line in asked] == [200, "stopping", 200]
    assert stopped["event"] == "stopped"
    assert "trace" not in str(lines)


def test_nothing_is_imported_from_the_current_folder(path: Path, tmp_path: Path) -> None:
    for name in ("types", "socket", "struct", "signal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')")
    with serving(path, folder=tmp_path) as running:
        address = running.address.rstrip("/") + PREDICT
        answer = httpx.post(
            address, content=jpeg("grass"), headers=PICTURE, timeout=PATIENCE, trust_env=False
        )
        assert answer.json()["predictions"][0]["top"][0]["label"] == "grass"


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_a_changed_file_is_taken_without_a_gap(path: Path) -> None:
    with (
        serving(path) as running,
        httpx.Client(base_url=running.address, trust_env=False) as client,
    ):
        labels = set[str]()
        classifier = load(path)
        classifier.rename_class("grass", "meadow")
        statuses = set[int]()
        saved = False
        while "meadow" not in labels:
            answer = client.post(PREDICT, content=jpeg("grass"), headers=PICTURE, timeout=PATIENCE)
            statuses.add(answer.status_code)
            labels.add(answer.json()["predictions"][0]["top"][0]["label"])
            if not saved:
                classifier.save(path)
                saved = True
        assert labels == {"grass", "meadow"}
        assert statuses == {200}
        _, lines = running.stop()
    assert [line["model"] for line in lines if line["event"] == "reloaded"][:1] == ["surfaces"]


@pytest.mark.slow
def test_several_processes_count_together_and_end_together(path: Path) -> None:
    with serving(path, "--workers", 2) as running:
        for _ in range(20):  # a connection each, so that both get some
            answer = httpx.post(
                running.address.rstrip("/") + PREDICT,
                content=jpeg(),
                headers=PICTURE,
                timeout=PATIENCE,
                trust_env=False,
            )
            assert answer.status_code == 200
        text = httpx.get(f"{running.address}metrics", trust_env=False).text
        assert 'eyespot_requests_total{model="surfaces",status="200"} 20.0' in text
        code, lines = running.stop()
    assert code == 0
    events = [line["event"] for line in lines]
    assert events == ["started", *["request"] * 21, "stopping", "stopped"]


def test_no_torch(path: Path) -> None:
    load(path).engine  # noqa: B018  # the network is converted by now
    with serving(path) as running:
        httpx.get(f"{running.address}readyz", timeout=PATIENCE, trust_env=False)
        maps = Path(f"/proc/{running.process.pid}/maps")
        if not maps.exists():
            pytest.skip("this system does not tell what a process has loaded")
        loaded = maps.read_text()
        running.stop()
    assert "openvino" in loaded
    assert "torch" not in loaded


# --- the command line ---------------------------------------------------------------------------


def refused(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["serve", *map(str, arguments)])
    return done.exit_code, done.output


@pytest.mark.parametrize(("address", "local"), [("127.0.0.1", True), ("0.0.0.0", False)])
@pytest.mark.parametrize(("option", "key"), [(None, False), ("--open", False), ("", True)])
def test_others_may_call_only_with_a_key_or_if_all_may(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    local: bool,
    option: str | None,
    key: bool,
) -> None:
    class Listener(socket.socket):
        def getsockname(self) -> tuple[str, int]:
            return address, 8000

        def listen(self, backlog: int = 0) -> None:
            pass

    settled: list[Settings] = []
    monkeypatch.setattr(server, "listen", lambda host, port: Listener())

    def serve(settings: Settings, listener: object, workers: int, started: Any) -> int:
        settled.append(settings)
        started()
        return 0

    monkeypatch.setattr(server, "_serve", serve)
    monkeypatch.setattr(server, "write_json_lines", lambda: None)
    (tmp_path / "keys").write_text("a long secret that nobody guesses\n")
    options = ["--api-keys", tmp_path / "keys"] if key else [option] if option else []
    code, said = refused(path, "--host", address, *options)
    if local or option is not None:
        assert code == 0
        assert f"http://{address}:8000/" in said
        assert settled[0].local == (local and option != "--open")
        assert bool(settled[0].keys) == key
    else:
        assert code == 2
        assert "--api-keys" in said
        assert "--open" in said
        assert not settled


def test_keys_are_read_from_a_file(path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for content, reason in ((b"\n \n", "no key"), (b"\xff\n", "ASCII")):
        keys.write_bytes(content)
        code, said = refused(path, "--api-keys", keys)
        assert (code, reason in said) == (2, True)
    assert "cannot be read" in refused(path, "--api-keys", tmp_path / "none")[1]
    keys.write_text("# not a comment\nsecret\n")
    with serving(path, "--api-keys", keys) as running:
        where = f"{running.address}v1/models"
        assert httpx.get(where, timeout=PATIENCE, trust_env=False).status_code == 401
        shown = {"Authorization": "Bearer secret"}
        assert httpx.get(where, headers=shown, trust_env=False).status_code == 200
        _, lines = running.stop()
    assert "secret" not in str(lines)
    assert [line["level"] for line in lines if line["event"] == "short keys"] == ["warning"]


@pytest.mark.slow
def test_what_the_documentation_asks_works(path: Path, tmp_path: Path) -> None:
    for name in ("photo.jpg", "new.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    pets = path.rename(tmp_path / "pets.eyespot")
    lines = re.findall(r"^(?:curl|python) .*$", DOCUMENTATION.read_text(), re.MULTILINE)
    assert len(lines) == 9
    (keys,) = [line for line in lines if line.startswith("python")]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    shell = {"shell": True, "cwd": tmp_path, "env": environment}
    subprocess.run(keys, check=True, **shell)  # type: ignore[call-overload]
    with serving(pets, "--api-keys", tmp_path / "keys", "--timeout", 120) as running:
        shown = '-H "Authorization: Bearer $(head -1 keys)"'
        for line in lines:
            if line.startswith("curl"):
                asked = line.replace("http://127.0.0.1:8000/", running.address)
                asked = asked if shown in line else asked.replace("curl", f"curl {shown}")
                asked = asked.removesuffix(" -o why.png")
                subprocess.run(f"{asked} --noproxy '*' -sS --fail -o answer", check=True, **shell)  # type: ignore[call-overload]
                if "image/png" in line:
                    with Image.open(tmp_path / "answer") as drawn:
                        assert drawn.format == "PNG"
                    continue
                told = (tmp_path / "answer").read_text()
                if "predict" in line:
                    count = 2 if "-F" in line else 1
                    assert len(json.loads(told)["predictions"]) == count
                else:
                    assert "pets" in told or "ready" in told
        _, written = running.stop()
    assert "short keys" not in str(written)  # what the documentation proposes is long enough


def test_what_cannot_be_served_is_said(path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.eyespot"
    broken.write_bytes(b"PK hello")
    assert refused(broken)[0] == 1
    assert "broken.eyespot is damaged" in refused(broken)[1]
    assert "Expected the file" in refused(tmp_path / "none.eyespot")[1]
    assert refused(path, path)[0] == 2
    assert refused(path, "--queue", 3)[0] == 2
    assert "never fit" in refused(path, "--queue", 3)[1]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = refused(path, "--port", taken.getsockname()[1])
    assert code == 2
    assert "--port" in said


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        UnicodeError("label empty or too long"),
    ],
)
def test_a_host_that_is_not_this_machine(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(host: str, port: int) -> None:
        raise error

    monkeypatch.setattr(server, "listen", fail)
    code, said = refused(path, "--host", "pets.example", "--open")
    assert code == 2
    assert "--host" in said
    assert "--port" not in said


def test_the_container_starts_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DOCUMENTATION.parents[2] / "Dockerfile").read_text()
    lines = re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", text, re.MULTILINE)
    program, *arguments = [part for line in lines for part in json.loads(line)]
    assert program == "eyespot"
    monkeypatch.setattr(server, "listen", lambda host, port: listen("127.0.0.1", 0))
    done = CliRunner().invoke(app, arguments)
    assert "Expected the file /models/pets.eyespot" in done.output
    (code,) = re.findall(r'^RUN python -c "(.*?)"$', text, re.MULTILINE | re.DOTALL)
    exec(code.replace("\\\n", ""))


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("eyespot.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    code, said = refused(path)
    assert code == 1
    assert 'pip install "eyespot[serve]"' in said
