"""Routes of the room where one plays with backpropagation: what there is to choose from, and the
conversation in which a network learns.

The page asks, one thing after the other, each time it has drawn the answer to the last. What it
sends is JSON; any part may be missing, and they are done in this order:

    {"settings": {name: text}, "reset": true, "steps": 1 to MOST_STEPS, or "epoch"}

`settings`: what `Settings.from_dict` reads; learning goes on with them if it can. The answer is
either a text, {"error": sentence}, and then nothing has changed, or a picture, which is binary:

    uint32                the length n of what follows
    n bytes of JSON       the figures, and the shapes of the arrays, by name
    the arrays            in this order, one after the other, float32; "shades" is uint8

All numbers are little-endian; spaces fill the JSON so that the arrays begin at a multiple of 4.
"""

import json
import struct
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from eyespot.errors import EyespotError, UsageError
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

router = APIRouter(prefix="/api/play")

MOST_STEPS = 100
"""Of one answer, so that it comes soon."""
RESOLUTION = 50
"""Pixels of a surface's side."""
SMALL = 24
"""Pixels of a feature's picture, each way."""
FEW = 150
"""Points of a data set's picture."""


class Wish(BaseModel):
    """What the page asks for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    settings: dict[str, str] | None = None
    reset: bool = False
    steps: Annotated[int, Field(ge=0, le=MOST_STEPS)] | Literal["epoch"] = 0


@router.get("")
def choices() -> dict[str, Any]:
    """What the settings can be, with small pictures of data (x, y and target of each point) and of
    features (rows of shades), and what they are if nothing is said."""
    features = draw(Simulator(Settings(features=tuple(FEATURES))), SMALL).shades()
    return {
        "defaults": Settings().texts(),
        "choices": {name: list(values) for name, values in CHOICES.items()},
        "ranges": RANGES,
        "data": {
            "classification": {name: _few("classification", name) for name in CLASSIFICATION},
            "regression": {name: _few("regression", name) for name in REGRESSION},
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


def _few(problem: str, data: str) -> list[list[float]]:
    points = make_points(problem, data, FEW, 0, 0.5, 0)
    table: list[list[float]] = np.column_stack([points.positions, points.targets]).round(2).tolist()
    return table


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """A wish comes, a picture goes, and so on. The simulator ends with the conversation."""
    await socket.accept()
    simulator = Simulator(Settings())
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                picture = await run_in_threadpool(answer, simulator, message.get("text") or "")
            except EyespotError as error:
                await socket.send_json({"error": str(error)})
            else:
                await socket.send_bytes(picture)
    except WebSocketDisconnect:
        return


def answer(simulator: Simulator, text: str) -> bytes:
    """Do what the page asks for, and draw. Raises UsageError, and then has done nothing."""
    try:
        wish = Wish.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(
            "Expected settings, reset or steps, as the page sends them. Reload the page."
        ) from error
    if wish.settings is not None:
        simulator.change(Settings.from_dict(wish.settings))
    if wish.reset:
        simulator.reset()
    steps = simulator.steps_per_epoch if wish.steps == "epoch" else wish.steps
    if steps:
        simulator.step(steps)
    return packed(simulator, draw(simulator, RESOLUTION))


def packed(simulator: Simulator, picture: Snapshot) -> bytes:
    """`picture`, the points and the curves, in the form that the module describes."""
    points, curves = simulator.points, simulator.curves
    floats = {
        name: np.concatenate([getattr(edges, name).ravel() for edges in picture.edges])
        for name in ("weights", "bias", "weights_slope", "bias_slope")
    }
    floats |= {
        "points": np.column_stack([points.positions, points.targets, points.is_train]),
        "curves": np.array([curves.epochs, curves.train, curves.test]),
        "space_points": picture.space.points,
        "space_mesh": picture.space.mesh,
    }
    shades = picture.shades()
    figures = {
        "settings": simulator.settings.to_dict(),
        "steps": picture.steps,
        "epochs": picture.epochs,
        "learning_rate": picture.learning_rate,
        "stopped": picture.stopped,
        "layers": picture.layers,
        "axes": picture.space.axes,
        **asdict(picture.scores),
        "shapes": {name: array.shape for name, array in (*floats.items(), ("shades", shades))},
    }
    head = json.dumps(figures).encode()
    head += b" " * (-len(head) % 4)
    # What is beyond these limits is of a run that went astray, and might not fit into float32.
    arrays = [array.clip(-LARGEST, LARGEST).astype("<f4").tobytes() for array in floats.values()]
    return b"".join((struct.pack("<I", len(head)), head, *arrays, shades.tobytes()))
