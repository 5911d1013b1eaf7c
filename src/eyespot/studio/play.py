"""Routes of Play: the choices of settings, and the conversation in which a network is trained.

The page sends a request each time it has drawn the last answer. A request is JSON; any part may be
missing, and the parts take effect in this order:

    {"settings": {name: text}, "reset": true, "steps": 1 to MAX_STEPS, or "epoch"}

`settings`: read by `Settings.from_dict`; training continues with them where it can. The answer is
either a text, {"error": message}, and nothing has changed; or a binary state of the network:

    uint32                the length n of the JSON
    n bytes of JSON       metrics, and the shapes of the arrays, by name
    the arrays            in this order, float32; "shades" is uint8

All numbers are little-endian; spaces pad the JSON so that the arrays begin at a multiple of 4.
"""

import json
import struct
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eyespot.errors import UsageError
from eyespot.playground.functions import FEATURES
from eyespot.playground.points import CLASSIFICATION, EDGE, FEWEST, REGRESSION, make_points
from eyespot.playground.settings import (
    CHOICES,
    MOST_LAYERS,
    MOST_OWN,
    MOST_UNITS,
    RANGES,
    Settings,
)
from eyespot.playground.simulator import LARGEST, Simulator
from eyespot.playground.snapshot import Snapshot, draw
from eyespot.studio.answers import converse

router = APIRouter(prefix="/api/play")

MAX_STEPS = 100
"""Of one answer, so that it comes soon."""
RESOLUTION = 50
"""Pixels per side of a unit's output."""
FEATURE_RESOLUTION = 24
PREVIEW_POINTS = 150


class PlayRequest(BaseModel):
    """A request of the page."""

    model_config = ConfigDict(extra="forbid", strict=True)

    settings: dict[str, str] | None = None
    reset: bool = False
    steps: Annotated[int, Field(ge=0, le=MAX_STEPS)] | Literal["epoch"] = 0


@router.get("")
def choices() -> dict[str, Any]:
    """The choices and defaults of the settings, with previews of the datasets (x, y and target of
    each point) and of the features (rows of shades)."""
    features = draw(Simulator(Settings(features=tuple(FEATURES))), FEATURE_RESOLUTION).shades()
    return {
        "defaults": Settings().texts(),
        "choices": {name: list(values) for name, values in CHOICES.items()},
        "ranges": RANGES,
        "data": {
            "classification": {name: _preview("classification", name) for name in CLASSIFICATION},
            "regression": {name: _preview("regression", name) for name in REGRESSION},
        },
        "features": {
            name: shades.tolist() for name, shades in zip(FEATURES, features, strict=False)
        },
        "most_layers": MOST_LAYERS,
        "most_units": MOST_UNITS,
        "most_own": MOST_OWN,
        "fewest_own": FEWEST,
        "edge": EDGE,
    }


def _preview(problem: str, data: str) -> list[list[float]]:
    points = make_points(problem, data, PREVIEW_POINTS, 0, 0.5, 0)
    table: list[list[float]] = np.column_stack([points.positions, points.targets]).round(2).tolist()
    return table


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """The page sends a request, the server a state, and so on. Each page has its own network."""
    simulator = Simulator(Settings())
    await converse(socket, lambda message: [answer(simulator, message)])


def answer(simulator: Simulator, text: str | bytes) -> bytes:
    """Carry out a request and return the state. Raises UsageError, and then nothing has changed."""
    try:
        request = PlayRequest.model_validate_json(text)
    except ValidationError as error:
        raise UsageError("Expected settings, reset or steps. Reload the page.") from error
    if request.settings is not None:
        simulator.change(Settings.from_dict(request.settings))
    if request.reset:
        simulator.reset()
    steps = simulator.steps_per_epoch if request.steps == "epoch" else request.steps
    if steps:
        simulator.step(steps)
    return packed(simulator, draw(simulator, RESOLUTION))


def packed(simulator: Simulator, drawn: Snapshot) -> bytes:
    """Pack `drawn`, the points and the loss curves as the module describes."""
    points, curves = simulator.points, simulator.curves
    floats = {
        name: np.concatenate([getattr(edges, name).ravel() for edges in drawn.edges])
        for name in ("weights", "bias", "weights_slope", "bias_slope")
    }
    floats |= {
        "points": np.column_stack([points.positions, points.targets, points.is_train]),
        "curves": np.array([curves.epochs, curves.train, curves.test]),
        "space_points": drawn.space.points,
        "space_mesh": drawn.space.mesh,
    }
    shades = drawn.shades()
    metrics = {
        "settings": simulator.settings.to_dict(),
        "steps": drawn.steps,
        "epochs": drawn.epochs,
        "learning_rate": drawn.learning_rate,
        "stopped": drawn.stopped,
        "layers": drawn.layers,
        "axes": drawn.space.axes,
        **asdict(drawn.scores),
        "shapes": {name: array.shape for name, array in (*floats.items(), ("shades", shades))},
    }
    head = json.dumps(metrics).encode()
    head += b" " * (-len(head) % 4)
    # A diverged run has larger numbers, which float32 might not hold.
    arrays = [array.clip(-LARGEST, LARGEST).astype("<f4").tobytes() for array in floats.values()]
    return b"".join((struct.pack("<I", len(head)), head, *arrays, shades.tobytes()))
