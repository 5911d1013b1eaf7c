"""Routes of Look inside: predictions, activation maps, Grad-CAM and first-layer filters."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from fastapi import APIRouter, Response, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from eyespot.data.decode import decode
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import EyespotError, UsageError
from eyespot.studio.photo_files import png
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.task import load
from eyespot.weights.find import origin_of
from eyespot.weights.zoo import NETWORKS, find

router = APIRouter(prefix="/api/look")

HERE = ("package", "store")
"""Origins of weights that need no download."""
TOP = 5
WIDTH = 560
"""Of an image, in pixels."""
GRAD_CAM = "Grad-CAM"


@dataclass(frozen=True)
class OpenNetwork:
    """A classifier, and its network with readable stages."""

    classifier: Classifier
    network: Any

    def stages(self) -> dict[str, tuple[int, ...]]:
        """Shape [C, h, w] of each stage's activation maps."""
        from eyespot.models.anatomy import shapes_of

        return dict(shapes_of(find(self.classifier.backbone.name)))


@lru_cache(maxsize=2)
def _open(name: str) -> OpenNetwork:
    from eyespot.features.backbone import load_network

    if origin_of(find(name)) not in HERE:
        raise UsageError(f"The weights of {name} are not on this machine. Choose another network.")
    classifier = load(name)
    return OpenNetwork(classifier, load_network(classifier.backbone))


@router.get("")
def networks() -> list[str]:
    """Names of the ImageNet classifiers whose weights are on this machine."""
    return [
        name
        for name, network in NETWORKS.items()
        if network.dataset == "ImageNet" and origin_of(network) in HERE
    ]


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """The stages in order, each with the shape of its activation maps."""
    stages = _open(name).stages().items()
    return {"stages": [{"name": stage, "shape": shape} for stage, shape in stages]}


@router.get("/{name}/filters.png")
def first_layer_filters(name: str) -> Response:
    """The filters of the first layer as an image."""
    from eyespot.explain.filters import filters
    from eyespot.explain.sheet import grid

    return Response(png(grid(filters(_open(name).network), WIDTH)), media_type="image/png")


@router.websocket("/{name}/live")
async def live(socket: WebSocket, name: str) -> None:
    """The page sends a photo (JPEG), the server a prediction, and so on.

    A text selects the image that follows each prediction: a stage, `GRAD_CAM`, or "" for none.
    """
    await socket.accept()
    shown = ""
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") is not None:
                shown = message["text"]
                continue
            answer, image = await run_in_threadpool(_predict, name, message["bytes"], shown)
            await socket.send_json(answer)
            if image is not None:
                await socket.send_bytes(image)
    except WebSocketDisconnect:
        return


def _predict(name: str, photo: bytes, shown: str) -> tuple[dict[str, Any], bytes | None]:
    """The prediction for a photo, and an image (PNG) if one is selected."""
    start = time.perf_counter()
    try:
        opened = _open(name)
        top = opened.classifier.predict(photo, top=TOP).top
        seconds = time.perf_counter() - start
        image = png(_draw(opened, photo, shown)) if shown else None
    except EyespotError as error:
        return {"error": str(error), "image": False}, None
    predictions = [{"label": label, "probability": probability} for label, probability in top]
    return {"top": predictions, "seconds": seconds, "image": image is not None}, image


def _draw(opened: OpenNetwork, photo: bytes, shown: str) -> NDArray[np.uint8]:
    from eyespot.explain.activations import activations, network_input, stage_called
    from eyespot.explain.colours import coloured, overlaid
    from eyespot.explain.gradcam import grad_cam
    from eyespot.explain.sheet import grid, resized

    pixels = opened.classifier.backbone.preprocessing
    whole = decode(photo, short_side=needed_short_side(pixels)).pixels
    if shown == GRAD_CAM:
        prepared = prepare(whole, pixels)
        heat = grad_cam(opened.network, prepared, pixels)
        return cast(NDArray[np.uint8], resized(overlaid(heat, prepared)[None], WIDTH)[0])
    maps = activations(opened.network, network_input(opened.network, whole, pixels), pixels)
    return grid(coloured(stage_called(shown, maps)), WIDTH)
