"""Playing: what there is to choose from, and the conversation in which a network learns."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession

from eyespot.playground.settings import Settings
from eyespot.playground.simulator import DIVERGED, Simulator
from eyespot.playground.snapshot import draw
from eyespot.studio import play

HOME = "http://127.0.0.1:8765"
LARGE = {"count": "2000", "features": "x,y,x^2,y^2,xy,sin x,sin y", "hidden": "8,8,8,8,8,8"}


@pytest.fixture
def talk(client: TestClient) -> Iterator[WebSocketTestSession]:
    address = "ws://127.0.0.1:8765/api/play/live"
    with client.websocket_connect(address, headers={"Origin": HOME}) as socket:
        yield socket


def read(state: bytes) -> dict[str, Any]:
    """Figures and arrays, as the page reads them."""
    (length,) = struct.unpack_from("<I", state)
    figures: dict[str, Any] = json.loads(state[4 : 4 + length])
    place = 4 + length
    assert place % 4 == 0
    for name, shape in figures.pop("shapes").items():
        kind = np.dtype("u1" if name == "shades" else "<f4")
        array = np.frombuffer(state, kind, int(np.prod(shape)), place)
        figures[name] = array.reshape(shape)
        place += array.nbytes
    assert place == len(state)
    return figures


def ask(talk: WebSocketTestSession, **wish: object) -> dict[str, Any]:
    talk.send_json(wish)
    return read(talk.receive_bytes())


def refusal(talk: WebSocketTestSession, text: str) -> str:
    talk.send_text(text)
    return str(talk.receive_json()["error"])


def test_what_there_is_to_choose_from(client: TestClient) -> None:
    found = client.get("/api/play").json()
    assert Settings.from_dict(found["defaults"]) == Settings()
    assert {"circle", "xor", "gauss", "spiral"} == set(found["data"]["classification"])
    assert all(
        len(points) == play.PREVIEW_POINTS for points in found["data"]["regression"].values()
    )
    assert "tanh" in found["choices"]["activation"]
    assert "one-cycle" in found["choices"]["schedule"]
    across = np.array(found["features"]["x"])
    assert across.shape == (play.FEATURE_RESOLUTION, play.FEATURE_RESOLUTION)
    assert (np.diff(across, axis=1) > 0).all()
    assert (np.diff(np.array(found["features"]["y"]), axis=0) < 0).all()  # up is the first row


def test_it_learns_as_the_library_does(talk: WebSocketTestSession) -> None:
    settings = Settings(data="xor", count=101, hidden=(3, 2), learning_rate=0.1)
    simulator = Simulator(settings)
    fresh = ask(talk, settings=settings.to_dict())
    assert (fresh["steps"], fresh["epochs"]) == (0, 0)
    assert not fresh["weights_slope"].any()
    ask(talk, steps=7)
    learnt = ask(talk, steps=93)
    simulator.step(100)
    expected = draw(simulator, play.RESOLUTION)
    assert learnt["settings"] == settings.to_dict()
    assert (learnt["steps"], learnt["epochs"]) == (100, 20)
    assert learnt["layers"] == [2, 3, 2, 1]
    assert learnt["train_loss"] == expected.scores.train_loss
    assert learnt["test_accuracy"] == expected.scores.test_accuracy
    assert (learnt["shades"] == expected.shades()).all()
    edges = expected.edges
    for name in ("weights", "bias", "weights_slope", "bias_slope"):
        flat = np.concatenate([getattr(edge, name).ravel() for edge in edges])
        assert np.allclose(learnt[name], flat, rtol=1e-6)
        assert flat.any()
    assert (learnt["points"][:, 2] == simulator.points.targets).all()
    assert (learnt["points"][:, 3] == simulator.points.is_train).all()
    assert learnt["curves"].shape == (3, 21)
    assert np.allclose(learnt["curves"][2], simulator.curves.test, rtol=1e-6)
    assert (learnt["space_points"] == expected.space.points).all()
    assert (learnt["space_mesh"] == expected.space.mesh).all()


def test_an_epoch_at_once(talk: WebSocketTestSession) -> None:
    for size, steps in (("7", 35), ("2000", 36)):  # of 250 points; the latter takes them all
        learnt = ask(talk, settings={"batch_size": size}, steps="epoch")
        assert learnt["steps"] == steps


def test_learning_goes_on_with_other_settings(talk: WebSocketTestSession) -> None:
    ask(talk, steps=30)
    assert ask(talk, settings={"learning_rate": "0.1"})["steps"] == 30
    assert ask(talk, settings={"hidden": "3"})["steps"] == 0
    assert ask(talk, steps=30)["steps"] == 30
    again = ask(talk, reset=True)
    assert again["steps"] == 0
    assert again["settings"] == {"hidden": "3"}


def test_a_run_that_went_astray(talk: WebSocketTestSession) -> None:
    wild = {"problem": "regression", "data": "plane", "activation": "linear", "learning_rate": "10"}
    astray = ask(talk, settings=wild, steps=100)
    assert astray["stopped"] == DIVERGED
    assert astray["train_accuracy"] is None
    assert ask(talk, steps=5)["steps"] == astray["steps"]
    tame = ask(talk, settings={**wild, "learning_rate": "0.01"}, reset=True, steps=5)
    assert (tame["stopped"], tame["steps"]) == (None, 5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hidden": "9"}, "1 to 8 units"),
        ({"hidden": ",".join("8" * 5000)}, "at most 6"),
        ({"count": "1" * 5000}, "count cannot be"),
        ({"count": "9" * 4000}, "count must be"),
        ({"learning_rate": "nan"}, "learning_rate must be"),
        ({"data": "own", "own": "1,1,1"}, "3 points or more"),
        ({"own": "1,1"}, "own cannot be"),
        ({"features": "x,\ud7ff"}, "features cannot be"),
        ({"problem": "regression"}, "data cannot be"),
        ({"<b>": "1"}, "There is no setting"),
        ({"batch_norm": "1", "batch_size": "1"}, "batches of 2"),
    ],
)
def test_bad_settings_change_nothing(
    talk: WebSocketTestSession, settings: dict[str, str], said: str
) -> None:
    before = ask(talk, settings={"hidden": "2", "data": "xor"}, steps=10)
    wish = json.dumps({"settings": settings, "reset": True, "steps": 5})
    assert said in refusal(talk, wish)
    after = ask(talk)
    assert (after["settings"], after["steps"]) == (before["settings"], before["steps"])
    assert (after["weights"] == before["weights"]).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "[" * 100_000,
        '{"steps": 101}',
        '{"steps": -1}',
        '{"steps": 1e3}',
        '{"steps": "era"}',
        '{"steps": ' + "9" * 5000 + "}",
        '{"reset": "yes"}',
        '{"settings": {"count": 5}}',
        '{"settings": {"data": "\\ud800"}}',
        '{"open": "/etc/passwd"}',
    ],
)
def test_what_no_page_of_ours_sends_is_refused(talk: WebSocketTestSession, text: str) -> None:
    assert "Reload the page" in refusal(talk, text)
    talk.send_bytes(b"\x00\xff")
    assert "Reload the page" in talk.receive_json()["error"]
    assert ask(talk, steps=1)["steps"] == 1


def test_conversations_do_not_mix(client: TestClient, talk: WebSocketTestSession) -> None:
    address = "ws://127.0.0.1:8765/api/play/live"
    ask(talk, settings={"hidden": "3"}, steps=10)
    with client.websocket_connect(address, headers={"Origin": HOME}) as other:
        assert ask(other)["steps"] == 0
    assert ask(talk)["steps"] == 10


def test_the_largest_network(talk: WebSocketTestSession) -> None:
    drawn = ask(talk, settings=LARGE, steps=2)
    assert drawn["layers"] == [7, 8, 8, 8, 8, 8, 8, 1]
    assert drawn["shades"].shape == (56, play.RESOLUTION, play.RESOLUTION)
    assert drawn["weights"].size == 7 * 8 + 5 * 64 + 8
    assert drawn["points"].shape == (2000, 4)
