"""Look inside: the routes, and the conversation about the camera's photos."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageColor

from eyespot.explain.filters import filters
from eyespot.models import create
from eyespot.studio import look
from eyespot.tasks.detection import faces
from eyespot.tasks.detection.draw import COLOURS
from eyespot.tasks.task import load
from eyespot.weights.importers import import_weights
from tests.pictures import patches

HOME = "http://127.0.0.1:8765"
NAME = "efficientnet_lite0"


def jpeg(side: int = 120) -> bytes:
    out = io.BytesIO()
    Image.fromarray(patches("gravel", 1, side=side)[0]).save(out, "JPEG")
    return out.getvalue()


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.fixture(autouse=True)
def nothing_is_open() -> Iterator[None]:
    look._open.cache_clear()
    yield
    look._open.cache_clear()


def test_networks_whose_weights_are_here(client: TestClient) -> None:
    assert client.get("/api/look").json() == [NAME]
    stages = client.get(f"/api/look/{NAME}").json()["stages"]
    assert stages[0] == {"name": "stem", "shape": [32, 112, 112]}
    answer = client.get("/api/look/vgg16")
    assert answer.status_code == 400
    assert "not on this machine" in answer.json()["error"]


@pytest.fixture
def face_weights(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path / "weights"))
    faces._detector.cache_clear()
    manifest = shared_data / "weights" / "tiny_face_detector_model-weights_manifest.json"
    import_weights(faces.NETWORK, manifest)


@pytest.mark.usefixtures("face_weights")
def test_faces_are_drawn_once_their_weights_are_here(client: TestClient, shared_data: Path) -> None:
    assert client.get(f"/api/look/{NAME}").json()["faces"]
    photo = (shared_data / "faces" / "bbt4.jpg").read_bytes()
    talk = f"ws://127.0.0.1:8765/api/look/{NAME}/live"
    with client.websocket_connect(talk, headers={"Origin": HOME}) as socket:
        socket.send_text(look.FACES)
        socket.send_bytes(photo)
        assert socket.receive_json()["image"]
        drawn = pixels(socket.receive_bytes())
    assert max(drawn.shape[:2]) == look.WIDTH
    blue = np.abs(drawn.astype(int) - ImageColor.getrgb(COLOURS[0])).max(2) < 40
    assert blue.sum() > 200


def test_without_those_weights_there_is_no_button(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path / "weights"))
    assert not client.get(f"/api/look/{NAME}").json()["faces"]


def test_the_first_layer_filters(client: TestClient) -> None:
    drawn = pixels(client.get(f"/api/look/{NAME}/filters.png").content)
    expected = filters(create(NAME, weights="imagenet"))
    seen = {tuple(colour) for colour in drawn.reshape(-1, 3)}
    assert {tuple(colour) for colour in expected.reshape(-1, 3)} <= seen


def test_a_conversation(client: TestClient) -> None:
    expected = load("efficientnet_lite0").predict(jpeg())
    talk = f"ws://127.0.0.1:8765/api/look/{NAME}/live"
    with client.websocket_connect(talk, headers={"Origin": HOME}) as socket:
        socket.send_bytes(jpeg())
        answer = socket.receive_json()
        assert [(g["label"], g["probability"]) for g in answer["top"]] == list(expected.top)
        assert not answer["image"]
        for drawn in ("stage4", look.GRAD_CAM):
            socket.send_text(drawn)
            socket.send_bytes(jpeg())
            assert socket.receive_json()["image"]
            shown = pixels(socket.receive_bytes())
            assert 200 < shown.shape[1] <= look.WIDTH
            assert shown.std() > 5
        socket.send_text("stage99")
        socket.send_bytes(jpeg())
        answer = socket.receive_json()
        assert "There is no stage called 'stage99'" in answer["error"]
        socket.send_text("")
        socket.send_bytes(b"not a photo")
        assert "error" in socket.receive_json()
        socket.send_bytes(jpeg())  # the conversation goes on
        assert len(socket.receive_json()["top"]) == 5
