"""The routes: what is asked, what is answered, and what is refused."""

import base64
import io
import json
import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import eyespot.explain.photo
from eyespot.explain.photo import Explanation
from eyespot.explain.photo_page import draw_explanation
from eyespot.serve import routes
from eyespot.serve.explaining import wants_png
from eyespot.serve.front import GUARDED, digest
from eyespot.serve.problems import as_json
from eyespot.serve.settings import Limits
from eyespot.tasks.classification.classifier import Prediction
from eyespot.tasks.task import load
from tests.pictures import patches
from tests.serve.conftest import HOME, PATIENCE, Asker, asking, model_of
from tests.serve.worlds import Gate

PREDICT = "/v1/models/surfaces:predict"
EXPLAIN = "/v1/models/surfaces:explain"


def jpeg(surface: str = "brick") -> bytes:
    file = io.BytesIO()
    Image.fromarray(patches(surface, 1, seed=5)[0]).save(file, "JPEG")
    return file.getvalue()


def raw(asker: Asker, data: bytes, kind: str = "image/jpeg", query: str = "") -> Any:
    return asker.post(PREDICT + query, content=data, headers={"Content-Type": kind})


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which has the one form that all have."""
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "request_id"}
    assert body["error"]["request_id"] == answer.headers["x-request-id"]
    assert len(body["error"]["message"]) > 10
    return answer.status_code, body["error"]["code"]


# --- asking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["brick", "grass"])
def test_a_photo_as_the_body(asker: Asker, surfaces: Path, surface: str) -> None:
    answer = raw(asker, jpeg(surface))
    assert answer.status_code == 200
    assert answer.json()["model"] == "surfaces"
    (said,) = answer.json()["predictions"]
    expected = load(surfaces).predict(jpeg(surface))
    assert said["top"][0]["label"] == expected.top[0][0] == surface
    assert said["top"][0]["probability"] == pytest.approx(expected.probability, abs=0.02)
    assert (said["label"], said["unknown"]) == (expected.label, expected.unknown)
    assert said["error"] is None


def test_files_of_a_form_come_back_in_order(asker: Asker) -> None:
    photos = {"1.jpg": jpeg("grass"), "2.txt": b"hello", "../../3.jpg": jpeg("brick")}
    files = [("file", (name, data, "image/jpeg")) for name, data in photos.items()]
    answer = asker.post(PREDICT, files=files)
    assert answer.status_code == 200
    first, second, third = answer.json()["predictions"]
    assert [one["name"] for one in (first, second, third)] == list(photos)
    assert (first["top"][0]["label"], third["top"][0]["label"]) == ("grass", "brick")
    assert second == {
        "name": "2.txt",
        "label": None,
        "unknown": False,
        "top": [],
        "error": {
            "code": "bad_photo",
            "message": "not an image in a supported format",
        },
    }


def test_json(asker: Asker) -> None:
    data = base64.b64encode(jpeg()).decode()
    body = {"photos": [{"data": data}, {"data": "*", "name": "a"}, {"data": data, "name": "b"}]}
    answer = asker.post(f"{PREDICT}?top=1", json=body)
    said = answer.json()["predictions"]
    assert [one["name"] for one in said] == ["photo 1", "a", "b"]
    assert [len(one["top"]) for one in said] == [1, 0, 1]
    assert said[1]["error"]["message"] == "its data is not base64"


def test_what_is_served(asker: Asker, surfaces: Path) -> None:
    classifier = load(surfaces)
    about = asker.get("/v1/models/surfaces").json()
    assert about["labels"] == ["brick", "grass"]
    assert about["backbone"] == "efficientnet_lite0"
    assert about["ood_threshold"] == classifier.ood_threshold
    assert about["metrics"]["top1"] == classifier.metrics["top1"]
    assert asker.get("/v1/models").json() == {"models": [about]}


def test_health_and_figures(asker: Asker) -> None:
    assert asker.get("/healthz").json() == {"status": "alive"}
    assert asker.get("/readyz").json() == {"status": "ready"}

    def count(line: str) -> float:
        lines = asker.get("/metrics").text.splitlines()
        return next((float(x.rpartition(" ")[2]) for x in lines if x.startswith(line)), 0.0)

    answered = 'eyespot_photos_total{model="surfaces",outcome="answered"}'
    requests = 'eyespot_requests_total{model="surfaces",status="200"}'
    before = count(answered), count(requests)
    raw(asker, jpeg())
    assert (count(answered), count(requests)) == (before[0] + 1, before[1] + 1)
    assert count('eyespot_waiting_photos{model="surfaces"}') == 0


def test_the_page_and_what_it_may_do(asker: Asker) -> None:
    page = asker.get("/")
    assert "Classify photos" in page.text
    for path in (
        "/style.css",
        "/controls.css",
        "/eye.svg",
        "/percent.js",
        "/serve.css",
        "/serve.js",
    ):
        assert asker.get(path).status_code == 200, path
    for answer in (page, asker.get("/nowhere"), raw(asker, jpeg())):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_describes_itself(asker: Asker) -> None:
    paths = asker.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/v1/models/{name}:predict",
        "/v1/models/{name}:explain",
        "/v1/models",
        "/v1/models/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    asks = paths["/v1/models/{name}:predict"]["post"]["requestBody"]["content"]
    assert set(asks) == {
        "image/*",
        "application/octet-stream",
        "multipart/form-data",
        "application/json",
    }
    why = paths["/v1/models/{name}:explain"]["post"]["responses"]
    assert list(why["200"]["content"]) == ["application/json", "image/png"]
    assert why["200"]["content"]["application/json"]["schema"]
    assert "504" in why


def test_why(asker: Asker) -> None:
    answer = asker.post(
        f"{EXPLAIN}?label=grass",
        content=jpeg("brick"),
        headers={"Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 200
    said = answer.json()
    assert (said["model"], said["label"], said["rival"]["label"]) == ("surfaces", "grass", "brick")
    assert said["gap"] < 0
    assert np.shape(said["occlusion"]) == (8, 8)
    assert said["near"][0]["label"] == "brick"
    assert "path" not in said["near"][0]


def test_why_is_asked_of_one_photo_and_a_class_that_there_is(asker: Asker) -> None:
    kind = {"Content-Type": "image/jpeg"}
    two = [("file", ("a.jpg", jpeg())), ("file", ("b.jpg", jpeg()))]
    assert refusal(asker.post(EXPLAIN, files=two)) == (400, "bad_request")
    unknown = asker.post(f"{EXPLAIN}?label=gras", content=jpeg(), headers=kind)
    assert refusal(unknown) == (400, "bad_request")
    assert "did you mean 'grass'" in unknown.json()["error"]["message"]
    assert refusal(asker.post(EXPLAIN, content=b"no", headers=kind)) == (422, "bad_photo")


def test_why_as_a_photo(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    map_ = np.eye(7, dtype=np.float32)
    grey = np.full((70, 70, 3), 128, np.uint8)
    told = Prediction("a.jpg", (("brick", 0.9), ("grass", 0.1)))
    found = Explanation(told, "brick", 0.9, ("grass", 0.1), grey, 1.0, map_, map_, None, None)
    monkeypatch.setattr(eyespot.explain.photo, "explain_image", lambda *asked: found)
    headers = {"Accept": "image/png"}
    answer = asker.post(EXPLAIN, files={"file": ("a.jpg", jpeg())}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(answer.content)) as photo:
        assert np.array_equal(np.asarray(photo), np.asarray(draw_explanation(found)))


@pytest.mark.parametrize(
    ("accept", "png"),
    [
        ("image/png", True),
        ("Image/PNG;q=0.9, */*;q=0.1", True),
        ("application/json, image/png", False),  # as clients ask that were made from openapi.json
        ("*/*", False),
        ("", False),
    ],
)
def test_who_gets_a_photo(accept: str, png: bool) -> None:
    assert wants_png(accept) == png


def test_why_in_time_or_not_at_all(surfaces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def slow(*asked: Any, drawn: bool) -> Any:
        begun.release()
        assert go.wait(600)
        return as_json({"done": True})

    monkeypatch.setattr(routes, "explained", slow)
    with asking(surfaces, seconds=0.5) as asker:

        def ask() -> Any:
            return asker.post(EXPLAIN, content=jpeg(), headers={"Content-Type": "image/jpeg"})

        began = False
        while not began:  # else the time was up before the photo was read
            assert refusal(ask()) == (504, "too_late")
            began = begun.acquire(blocking=False)
        asker.app._app.state.routes.limits = Limits(seconds=PATIENCE)  # type: ignore[attr-defined]
        second = ask()
        assert refusal(second) == (503, "busy")
        assert second.headers["retry-after"] == "1"
        go.set()
        while (answer := ask()).status_code == 503:
            pass
        assert answer.json() == {"done": True}
        assert begun.acquire(blocking=False)
        assert not begun.acquire(blocking=False)


# --- being refused ------------------------------------------------------------------------------


def test_a_bad_photo_alone(asker: Asker) -> None:
    for data, reason in ((b"hello", "not an image"), (b"", "empty"), (jpeg()[:-200], "truncated")):
        answer = raw(asker, data)
        assert refusal(answer) == (422, "bad_photo")
        assert reason in answer.json()["error"]["message"]
    alone = asker.post(PREDICT, json={"photos": [{"data": "*"}]})
    assert refusal(alone) == (422, "bad_photo")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[" * 100_000),
        ("application/json", b"[1]"),
        ("application/json", b"\xff\xfe"),
        ("application/json", b'{"photos": []}'),
        ("application/json", b'{"photos": [1]}'),
        ("application/json", b'{"photos": [{"data": 1}]}'),
        ("application/json", b'{"photos": [{"data": "", "name": 1}]}'),
        ("application/json", json.dumps({"photos": [{"data": ""}] * 31}).encode()),
        ("multipart/form-data", b"hello"),
        ("multipart/form-data; boundary=x", b"hello"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x; charset=undefined", b"--x\r\nhello: you\r\n\r\n--x--"),
        (
            "multipart/form-data; boundary=x; charset=undefined",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n' * 31
            + b"--x--\r\n",
        ),
    ],
)
def test_bodies_that_make_no_sense(asker: Asker, kind: str, body: bytes) -> None:
    assert refusal(raw(asker, body, kind)) == (400, "bad_request")


def test_too_many_and_too_few_photos_are_refused_alike(surfaces: Path) -> None:
    with asking(surfaces, photos=2) as asker:
        for count, got in ((0, "0"), (3, "more")):
            files = [("file", (str(n), jpeg())) for n in range(count)]
            answer = asker.post(PREDICT, files=[*files, ("note", (None, b"a field"))])
            assert refusal(answer) == (400, "bad_request")
            expected = f"Expected 1 to 2 photos in a request, got {got}."
            assert answer.json()["error"]["message"] == expected


@pytest.mark.parametrize("top", ["0", "-1", "x", "", "1.5", "²", "000000000001"])
def test_a_number_of_classes_that_makes_no_sense(asker: Asker, top: str) -> None:
    assert refusal(raw(asker, jpeg(), query=f"?top={top}")) == (400, "bad_request")


def test_more_classes_than_there_are(asker: Asker) -> None:
    answer = raw(asker, jpeg(), query=f"?top={10**12}")
    assert len(answer.json()["predictions"][0]["top"]) == 2


def test_other_types_addresses_and_methods(asker: Asker) -> None:
    form = "application/x-www-form-urlencoded"  # what curl sends if nothing is said
    assert refusal(raw(asker, jpeg(), form)) == (415, "unsupported_media_type")
    for path in ("/nowhere", "/v1/models/other", "/v1/models/a%2Fb", "/v1/models/surfaces:other"):
        assert refusal(asker.get(path)) == (404, "not_found"), path
    assert refusal(asker.post("/v1/models/other:predict", content=b"")) == (404, "not_found")
    for method, path in (("GET", PREDICT), ("DELETE", "/v1/models"), ("POST", "/healthz")):
        answer = asker.request(method, path)
        assert refusal(answer) == (405, "method_not_allowed"), path
        assert answer.headers["allow"]
    assert "surfaces" in asker.get("/v1/models/other").json()["error"]["message"]


def test_a_body_that_is_too_long(surfaces: Path) -> None:
    with asking(surfaces, bytes=5000) as asker:
        assert raw(asker, jpeg()).status_code == 200
        assert refusal(raw(asker, bytes(5001))) == (413, "too_large")
        pieces = (bytes(1000) for _ in range(6))  # of a length that is not announced
        headers = {"Content-Type": "image/jpeg"}
        answer = asker.post(PREDICT, content=pieces, headers=headers)
        assert refusal(answer) == (413, "too_large")


def in_background(work: Any, *arguments: Any) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work(*arguments)))
    thread.start()
    return thread, found


@pytest.fixture
def gate(surfaces: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """An engine that waits, in the place of the network's; it answers zeros, of the same shape."""
    engine = load(surfaces).engine
    gate = Gate()
    gate.layout = engine.layout
    width = max(columns.stop for columns in engine.layout.values())
    wait = gate.run

    def run(photos: Any) -> Any:
        return np.repeat(wait(photos), width, axis=1)

    monkeypatch.setattr(gate, "run", run)
    return gate


def test_a_full_queue(surfaces: Path, gate: Gate) -> None:
    with asking(surfaces, waiting=2) as asker:
        model_of(asker.served()).engine = gate
        gate.open.clear()
        waiting = [in_background(raw, asker, jpeg()) for _ in range(2)]
        assert gate.entered.acquire(timeout=600)
        while asker.served().batcher.waiting < 2:
            pass
        answer = raw(asker, jpeg())
        assert refusal(answer) == (503, "busy")
        assert answer.headers["retry-after"] == "1"
        gate.open.set()
        for thread, found in waiting:
            thread.join()
            assert found[0].status_code == 200
        assert raw(asker, jpeg()).status_code == 200
        both = {"photos": [{"data": base64.b64encode(jpeg()).decode()}] * 3}
        assert refusal(asker.post(PREDICT, json=both)) == (503, "busy")


def test_a_request_whose_time_is_up(surfaces: Path, gate: Gate) -> None:
    with asking(surfaces, seconds=0.2) as asker:
        served = asker.served()
        model_of(served).engine = gate
        gate.open.clear()
        before = len(gate.sizes)
        first = raw(asker, jpeg())
        second = raw(asker, jpeg())
        assert refusal(first) == refusal(second) == (504, "too_late")
        gate.open.set()
        while served.batcher.waiting:
            pass
        assert len(gate.sizes) <= before + model_of(served).engine.workers + 1
        assert served.requests == 0


def test_what_breaks_here_is_not_told_but_written_down(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(model_of(asker.served()), "score_features", lambda features: 1 / 0)
        answer = raw(asker, jpeg())
    assert refusal(answer) == (500, "internal")
    assert "ZeroDivision" not in answer.text
    (record,) = [record for record in caplog.records if record.getMessage() == "failed"]
    assert record.exc_info
    assert record.facts["id"] == answer.headers["x-request-id"]  # type: ignore[attr-defined]
    assert raw(asker, jpeg()).status_code == 200


# --- who may ask --------------------------------------------------------------------------------


def test_keys(surfaces: Path) -> None:
    with asking(surfaces, keys=(digest("one"), digest("two")), local=False) as asker:
        for path in ("/healthz", "/readyz", "/", "/openapi.json"):
            assert asker.get(path).status_code == 200, path
        for shown in (
            "",
            "one",
            "Bearer",
            "Bearer three",
            "Bearer onetwo",
            "Basic one",
            "Bearer é",
        ):
            headers = {b"Authorization": shown.encode()}
            for path in ("/v1/models", "/metrics", "/v1/models/other"):
                answer = asker.get(path, headers=headers)
                assert refusal(answer) == (401, "unauthorized"), shown
                assert answer.headers["www-authenticate"] == "Bearer"
        for shown in ("Bearer one", "bearer two"):
            assert asker.get("/v1/models", headers={"Authorization": shown}).status_code == 200
        described = asker.get("/openapi.json").json()
        ((name, scheme),) = described["components"]["securitySchemes"].items()
        assert scheme == {"type": "http", "scheme": "bearer"}
        for path, methods in described["paths"].items():
            for about in methods.values():
                asks: list[Any] | None = [{name: []}] if path.startswith(GUARDED) else None
                assert about.get("security") == asks, path


def test_without_keys_none_is_described(asker: Asker) -> None:
    assert "security" not in asker.get("/openapi.json").text


def test_without_keys_only_this_machine_asks(surfaces: Path, asker: Asker) -> None:
    for host in ("evil.example", "evil.example:8000", "[", "127.0.0.1.evil.example"):
        assert refusal(asker.get("/v1/models", headers={"Host": host})) == (421, "misdirected")
    for host in ("localhost:9000", "127.0.0.1", "[::1]:8000"):
        assert asker.get("/v1/models", headers={"Host": host}).status_code == 200
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        answer = asker.get("/v1/models", headers={"Origin": origin})
        assert refusal(answer) == (403, "forbidden")
    assert asker.get("/v1/models", headers={"Origin": HOME}).status_code == 200
    with asking(surfaces, local=False) as all_may:
        assert all_may.get("/v1/models", headers={"Host": "pets.example"}).status_code == 200


# --- what is written down -----------------------------------------------------------------------


def test_a_line_for_each_request(asker: Asker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "eyespot")
    answer = asker.post(
        PREDICT,
        content=jpeg(),
        headers={"Content-Type": "image/jpeg", "X-Request-ID": "my-own.id_1"},
    )
    assert answer.headers["x-request-id"] == "my-own.id_1"
    bad = asker.get("/v1/models/other", headers={"X-Request-ID": 'a"\t{b}'})
    assert len(bad.headers["x-request-id"]) == 16
    lines = [record.facts for record in caplog.records if record.getMessage() == "request"]  # type: ignore[attr-defined]
    assert lines[0].pop("ms") > 0
    assert lines[0] == {
        "id": "my-own.id_1",
        "method": "POST",
        "path": PREDICT,
        "model": "surfaces",
        "photos": 1,
        "status": 200,
    }
    assert (lines[1]["model"], lines[1]["photos"], lines[1]["status"]) == ("", 0, 404)
    assert len(lines) == 2
