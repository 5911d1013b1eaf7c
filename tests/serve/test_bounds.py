"""Everything that a request may take is bounded before it is read, and what changes is no harm."""

import ctypes
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.requests import ClientDisconnect

from eyespot.limits import MAX_BODIES_BYTES, MAX_JSON_MARKS
from eyespot.serve.about import about
from eyespot.serve.bodies import Bodies
from eyespot.serve.decoders import Decoders
from eyespot.serve.memory import trim_memory
from eyespot.serve.metrics import Metrics
from eyespot.serve.problems import Problem, bad_photo
from eyespot.serve.settings import Limits
from eyespot.serve.shelf import Shelf
from eyespot.tasks.task import load
from tests.serve.conftest import Asker, asking, model_of
from tests.serve.test_app import EXPLAIN, PREDICT, jpeg, refusal

KIND = {"Content-Type": "image/jpeg"}
BOTH = pytest.mark.parametrize("path", [PREDICT, EXPLAIN])


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading of a body's content fails."""

    async def fail(*arguments: Any) -> Any:
        raise AssertionError("the body was read")
        yield b""

    monkeypatch.setattr("eyespot.serve.bodies.Request.stream", fail)


@BOTH
def test_what_does_not_fit_beside_the_others_is_refused_unread(
    asker: Asker, unread: None, path: str
) -> None:
    routes = asker.app._app.state.routes  # type: ignore[attr-defined]
    with routes.bodies.room() as room:
        room.take(MAX_BODIES_BYTES)
        assert refusal(asker.post(path, content=jpeg(), headers=KIND)) == (503, "busy")
    assert routes.bodies.held == 0


def test_bytes_that_were_not_announced_count_as_they_come() -> None:
    held = Bodies(10)
    with held.room() as one, held.room() as other:
        one.take(6)
        other.take(2)
        other.take(4)
        with pytest.raises(Problem):
            other.take(5)
        assert held.held == 10
    assert held.held == 0


def test_one_large_request_always_has_room() -> None:
    assert Limits(bytes=10**10).all_bytes == 10**10


@BOTH
def test_a_queue_that_is_full_refuses_unread(asker: Asker, unread: None, path: str) -> None:
    served = asker.served()
    served.requests += 256
    try:
        assert refusal(asker.post(path, content=jpeg(), headers=KIND)) == (503, "busy")
    finally:
        served.requests -= 256


def test_no_explanation_is_read_while_one_is_made(
    asker: Asker, unread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Work:
        def done(self) -> bool:
            return False

    routes = asker.app._app.state.routes  # type: ignore[attr-defined]
    monkeypatch.setattr(routes.explainer, "_work", Work())
    assert refusal(asker.post(EXPLAIN, content=jpeg(), headers=KIND)) == (503, "busy")


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"{}"] * MAX_JSON_MARKS) + b"]",
        b"[" * (MAX_JSON_MARKS + 1),
        b'{"photos": ' + b'[{"a":' * MAX_JSON_MARKS,
        b"[" + b"1," * (MAX_JSON_MARKS + 1) + b"1]",
    ],
)
def test_json_is_bounded_by_what_it_holds(
    asker: Asker, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(text: bytes) -> None:
        raise AssertionError("it was parsed")

    with monkeypatch.context() as patch:
        patch.setattr("eyespot.serve.bodies.json.loads", fail)
        answer = asker.post(PREDICT, content=body, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (400, "bad_request")
    assert "brackets" in answer.json()["error"]["message"]


@BOTH
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_a_packed_body(asker: Asker, path: str, encoding: str) -> None:
    headers = {**KIND, "Content-Encoding": encoding}
    answer = asker.post(path, content=gzip.compress(jpeg()), headers=headers)
    assert refusal(answer) == (415, "unsupported_media_type")
    assert encoding in answer.json()["error"]["message"]
    plain = asker.post(PREDICT, content=jpeg(), headers={**KIND, "Content-Encoding": "identity"})
    assert plain.status_code == 200


def test_head_wherever_get_is_answered(asker: Asker) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/v1/models", "/v1/models/surfaces", "/"):
        answer = asker.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path
        assert int(answer.headers["content-length"]) > 0, path
    assert asker.head("/v1/models/other").status_code == 404
    assert asker.head(PREDICT).status_code == 405
    assert asker.post("/healthz").headers["allow"] == "GET, HEAD"


def test_many_classes_take_no_square_of_them(surfaces: Path) -> None:
    classifier = load(surfaces)
    count = 2_000
    classifier.classes = tuple(f"class {number}" for number in range(count))
    classifier.metrics["confusion"] = np.zeros((count, count), int).tolist()
    classifier.metrics["ece"] = float("nan")
    text = about("many", classifier)
    assert len(text) < 100 * count
    told = json.loads(text)
    assert told["labels"][-1] == "class 1999"
    assert "confusion" not in told["metrics"]
    assert told["metrics"]["ece"] is None
    assert told["metrics"]["top1"] == classifier.metrics["top1"]


def test_what_is_told_is_that_of_the_classifier_that_answers(surfaces: Path) -> None:
    with asking(surfaces) as asker:
        served = asker.served()
        other = load(surfaces)
        other.rename_class("grass", "meadow")
        served.exchange(other)
        assert asker.get("/v1/models/surfaces").json()["labels"] == ["brick", "meadow"]
        assert asker.get("/v1/models").json()["models"][0]["labels"] == ["brick", "meadow"]


@pytest.mark.parametrize("how", ["deleted", "damaged", "another one's"])
def test_why_is_answered_as_before_when_the_file_is_gone(
    surfaces: Path, tmp_path: Path, how: str, decoders: Decoders
) -> None:
    path = Path(shutil.copy(surfaces, tmp_path / "surfaces.eyespot"))
    shelf = Shelf([path], decoders, 10, Metrics())
    try:
        (served,) = shelf
        if how == "deleted":
            path.unlink()
        elif how == "damaged":
            path.write_bytes(path.read_bytes()[:-2000])
        else:  # of photos that nobody here was taught with, in a file that is refused
            classifier = load(path)
            taught = classifier.require_training_photos()
            object.__setattr__(taught.features, "names", ("secret.jpg",) * len(taught.features))
            classifier._training_photos = taught
            classifier.save(path)
            with path.open("r+b") as file:
                file.write(b"no zip")
        shelf.refresh()
        taught = model_of(served).require_training_photos()
        assert len(taught.labels) == len(load(surfaces).require_training_photos().labels)
        assert "secret.jpg" not in taught.features.names
    finally:
        shelf.close()


def test_a_file_that_changes_while_it_is_read_is_not_taken(
    surfaces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoders: Decoders
) -> None:
    path = Path(shutil.copy(surfaces, tmp_path / "surfaces.eyespot"))
    shelf = Shelf([path], decoders, 10, Metrics())
    try:
        (served,) = shelf
        before = model_of(served)
        with monkeypatch.context() as patch:

            def change(file: Path) -> Any:
                found = load(file)
                path.touch()
                return found

            patch.setattr("eyespot.serve.shelf.load", change)
            path.touch()
            shelf.refresh()
            assert model_of(served) is before
        shelf.refresh()  # the change itself is seen now
        assert model_of(served) is not before
    finally:
        shelf.close()


def test_a_request_that_breaks_off(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_off(request: Any) -> Any:
        raise ClientDisconnect
        yield b""

    monkeypatch.setattr("eyespot.serve.bodies.Request.stream", break_off)
    assert refusal(asker.post(PREDICT, content=jpeg(), headers=KIND)) == (400, "disconnected")


@pytest.mark.parametrize("why", ["it is torn", "it is torn.", "it is torn..", "is it torn?"])
def test_one_full_stop(why: str) -> None:
    assert str(bad_photo(why)).endswith(("torn.", "torn?"))
    assert ".." not in str(bad_photo(why))


def test_freed_memory_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    trim_memory()
    asked: list[int] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(malloc_trim=asked.append))
    trim_memory()
    assert asked == [0]
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())  # another libc
    trim_memory()
    assert asked == [0]


def test_torch_is_loaded_where_it_lets_others_go_on() -> None:
    """In a process of its own: this one has it already."""
    code = (
        "import sys; from eyespot.serve.explaining import _load_torch; _load_torch(); "
        "maps = open('/proc/self/maps').read(); "
        "sys.exit('torch' in sys.modules or 'libtorch_python' not in maps)"
    )
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system does not tell what a process has loaded")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
