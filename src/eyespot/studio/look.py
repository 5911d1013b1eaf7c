"""Routes of the room where one looks into a network: what it says of the camera's pictures, the
maps of its stages, where it looks, its first kernels."""

import io
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from fastapi import APIRouter, Response, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray
from PIL import Image
from starlette.concurrency import run_in_threadpool

from eyespot.data.decode import decode
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import EyespotError, UsageError
from eyespot.tasks.classification.classifier import Classifier, imagenet
from eyespot.weights.find import origin_of
from eyespot.weights.zoo import NETWORKS, facts_of, find

router = APIRouter(prefix="/api/look")

HERE = ("package", "store")
"""Where weights come from that need not be fetched first."""
TOP = 5
WIDTH = 560
"""Of a drawing, in pixels."""
ATTENTION = "where it looks"


@dataclass(frozen=True)
class Eye:
    """A network that answers, and the same network where all its stages can be read."""

    classifier: Classifier
    network: Any

    def stages(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the maps of each stage, [C, h, w]."""
        return facts_of(self.classifier.backbone.name).stages


@lru_cache(maxsize=2)
def _eye(name: str) -> Eye:
    from eyespot.features.backbone import load_network

    if origin_of(find(name)) not in HERE:
        raise UsageError(f"The weights of {name} are not on this machine. Choose another network.")
    classifier = imagenet(name)
    return Eye(classifier, load_network(classifier.backbone))


@router.get("")
def networks() -> list[str]:
    """Names of the networks whose weights are on this machine and tell ImageNet's classes."""
    return [
        name
        for name, network in NETWORKS.items()
        if network.dataset == "ImageNet" and origin_of(network) in HERE
    ]


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """Its stages, in order, each with the shape of its maps."""
    stages = _eye(name).stages().items()
    return {"stages": [{"name": stage, "shape": shape} for stage, shape in stages]}


@router.get("/{name}/kernels.png")
def kernels(name: str) -> Response:
    """What its first layer looks for, as a picture."""
    from eyespot.explain.filters import filters
    from eyespot.explain.sheet import grid

    return Response(_png(grid(filters(_eye(name).network), WIDTH)), media_type="image/png")


@router.websocket("/{name}/live")
async def live(socket: WebSocket, name: str) -> None:
    """A picture (JPEG) comes, an answer goes, and so on. A text names what shall be drawn along
    with the answers that follow: a stage, `ATTENTION`, or nothing."""
    await socket.accept()
    drawn = ""
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") is not None:
                drawn = message["text"]
                continue
            answer, drawing = await run_in_threadpool(_look, name, message["bytes"], drawn)
            await socket.send_json(answer)
            if drawing is not None:
                await socket.send_bytes(drawing)
    except WebSocketDisconnect:
        return


def _look(name: str, picture: bytes, drawn: str) -> tuple[dict[str, Any], bytes | None]:
    """What the network says of a picture, and a drawing (PNG) if one is wanted."""
    start = time.perf_counter()
    try:
        eye = _eye(name)
        top = eye.classifier.predict(picture, top=TOP).top
        seconds = time.perf_counter() - start
        drawing = _png(_draw(eye, picture, drawn)) if drawn else None
    except EyespotError as error:
        return {"error": str(error), "drawing": False}, None
    guesses = [{"label": label, "probability": probability} for label, probability in top]
    return {"top": guesses, "seconds": seconds, "drawing": drawing is not None}, drawing


def _draw(eye: Eye, picture: bytes, drawn: str) -> NDArray[np.uint8]:
    from eyespot.explain.activations import activations, seen, stage_called
    from eyespot.explain.colours import coloured, overlaid
    from eyespot.explain.gradcam import grad_cam
    from eyespot.explain.sheet import grid, resized

    pixels = eye.classifier.backbone.preprocessing
    whole = decode(picture, short_side=needed_short_side(pixels)).pixels
    if drawn == ATTENTION:
        prepared = prepare(whole, pixels)
        heat = grad_cam(eye.network, prepared, pixels)
        return cast(NDArray[np.uint8], resized(overlaid(heat, prepared)[None], WIDTH)[0])
    maps = activations(eye.network, seen(eye.network, whole, pixels), pixels)
    return grid(coloured(stage_called(drawn, maps)), WIDTH)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()
