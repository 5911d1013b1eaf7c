"""Routes of Look inside: predictions, activation maps, Grad-CAM and first-layer filters."""

import time
from functools import lru_cache
from typing import Any, cast

import numpy as np
from fastapi import APIRouter, Response, WebSocket
from numpy.typing import NDArray

from eyespot.data.decode import decode
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import UsageError
from eyespot.studio.answers import Answer, converse
from eyespot.studio.photo_files import png
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.detection import faces
from eyespot.tasks.task import load_classifier
from eyespot.weights.find import origin_of
from eyespot.weights.zoo import NETWORKS, facts_of, find

router = APIRouter(prefix="/api/look")

HERE = ("package", "store")
"""Origins of weights that need no download."""
TOP = 5
WIDTH = 560
"""Of an image, in pixels."""
GRAD_CAM = "Grad-CAM"
FACES = "Faces"


@lru_cache(maxsize=2)
def _open(name: str) -> tuple[Classifier, Any]:
    """A classifier, and its network with readable stages."""
    from eyespot.features.backbone import load_network

    if origin_of(find(name)) not in HERE:
        raise UsageError(f"The weights of {name} are not on this machine. Choose another network.")
    classifier = load_classifier(name)
    return classifier, load_network(classifier.backbone)


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
    """The stages in order, each with the shape [C, h, w] of its activation maps, and whether the
    weights of the detector of faces are on this machine."""
    stages = facts_of(_open(name)[0].backbone.name).stages
    return {
        "stages": [{"name": stage, "shape": shape} for stage, shape in stages.items()],
        "faces": origin_of(find(faces.NETWORK)) in HERE,
    }


@router.get("/{name}/filters.png")
def first_layer_filters(name: str) -> Response:
    """The filters of the first layer as an image."""
    from eyespot.explain.filters import filters
    from eyespot.explain.sheet import grid

    return Response(png(grid(filters(_open(name)[1]), WIDTH)), media_type="image/png")


@router.websocket("/{name}/live")
async def live(socket: WebSocket, name: str) -> None:
    """The page sends a photo (JPEG), the server a prediction, and so on.

    A text selects the image that follows each prediction: a stage, `GRAD_CAM`, `FACES` (the photo
    with boxes), or "" for none.
    """
    shown = ""

    def reply(message: str | bytes) -> list[Answer | bytes]:
        nonlocal shown
        if isinstance(message, bytes):
            return _predict(name, message, shown)
        shown = message
        return []

    await converse(socket, reply)


def _predict(name: str, photo: bytes, shown: str) -> list[Answer | bytes]:
    """The prediction for a photo, and an image (PNG) if one is selected."""
    start = time.perf_counter()
    top = _open(name)[0].predict(photo, top=TOP).top
    seconds = time.perf_counter() - start
    images = [png(_draw(name, photo, shown))] if shown else []
    predictions = [{"label": label, "probability": probability} for label, probability in top]
    return [{"top": predictions, "seconds": seconds, "image": bool(images)}, *images]


def _draw(name: str, photo: bytes, shown: str) -> NDArray[np.uint8]:
    from eyespot.explain.activations import activations, network_input, stage_called
    from eyespot.explain.colours import coloured, overlaid
    from eyespot.explain.gradcam import grad_cam
    from eyespot.explain.sheet import grid, resized

    if shown == FACES:
        return _draw_faces(photo)
    classifier, network = _open(name)
    pixels = classifier.backbone.preprocessing
    whole = decode(photo, short_side=needed_short_side(pixels)).pixels
    if shown == GRAD_CAM:
        prepared = prepare(whole, pixels)
        heat = grad_cam(network, prepared, pixels)
        return cast(NDArray[np.uint8], resized(overlaid(heat, prepared)[None], WIDTH)[0])
    maps = activations(network, network_input(network, whole, pixels), pixels)
    return grid(coloured(stage_called(shown, maps)), WIDTH)


def _draw_faces(photo: bytes) -> NDArray[np.uint8]:
    whole = decode(photo, short_side=WIDTH).pixels
    drawn = faces.draw_faces(whole, faces.faces_in(whole))
    drawn.thumbnail((WIDTH, WIDTH))
    return np.asarray(drawn)
