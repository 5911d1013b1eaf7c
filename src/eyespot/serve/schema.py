"""Requests and responses of the OpenAPI description; nothing else uses these models."""

from typing import Any

from pydantic import BaseModel, RootModel


class Error(BaseModel):
    """`code`: for programs. `message`: for people. `request_id`: as in the server's log."""

    code: str
    message: str
    request_id: str


class Problem(BaseModel):
    error: Error


class Guess(BaseModel):
    label: str
    probability: float


class PhotoFault(BaseModel):
    code: str
    message: str


class Prediction(BaseModel):
    """`label`: null if the photo is rejected as none of the classes (`unknown`) or cannot be read
    (`error`). `top`: the most probable classes first."""

    name: str
    label: str | None
    unknown: bool
    top: list[Guess]
    error: PhotoFault | None


class Box(BaseModel):
    """A found object, in pixels of the upright photo."""

    label: str
    probability: float
    xmin: float
    ymin: float
    xmax: float
    ymax: float


class Detections(BaseModel):
    """The objects in a photo of `width` x `height` pixels, the most probable first; none if it
    cannot be read (`error`). `counts`: of each class that was found."""

    name: str
    width: int
    height: int
    counts: dict[str, int]
    boxes: list[Box]
    error: PhotoFault | None


class Answer(BaseModel):
    """One prediction for each photo, in their order: of a classifier or of a detector."""

    model: str
    predictions: list[Prediction] | list[Detections]


class Near(BaseModel):
    label: str
    similarity: float


class Change(BaseModel):
    """`squares`: left, top, right and bottom, as shares of the network's input. Covering them
    changes the prediction to `label`. `share`: of the photo's area."""

    squares: list[tuple[float, float, float, float]]
    share: float
    label: str
    probability: float


class Explanation(BaseModel):
    """The explanation for `label`. `attention`: Grad-CAM, 0..1, row by row. `occlusion`: the
    drop in probability where the photo is covered. `near`: the most similar
    training photos; null if the classifier has none. `change`: the smallest change of the
    prediction found, or null."""

    model: str
    label: str
    probability: float
    unknown: bool
    top: list[Guess]
    rival: Guess
    gap: float
    attention: list[list[float]]
    occlusion: list[list[float]]
    near: list[Near] | None
    change: Change | None


class Classifier(BaseModel):
    """A classifier. It rejects photos with an OOD score above `ood_threshold`."""

    name: str
    labels: list[str]
    backbone: str
    method: str
    ood_threshold: float
    temperature: float
    metrics: dict[str, Any]


class Detector(BaseModel):
    """A detector of objects with these labels."""

    name: str
    labels: list[str]
    backbone: str
    method: str
    metrics: dict[str, Any]


class Model(RootModel[Classifier | Detector]):
    """A served model."""


class Models(BaseModel):
    models: list[Classifier | Detector]


class State(BaseModel):
    status: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route."""
    return {status: {"model": Problem} for status in (401, 403, 421, 500, *statuses)}


IMAGE = {"schema": {"type": "string", "format": "binary"}}
"""An image file as a body."""

TOP = {
    "name": "top",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "default": 5},
    "description": "Number of classes to return; a detector ignores it.",
}
LABEL = {
    "name": "label",
    "in": "query",
    "schema": {"type": "string"},
    "description": "The class to explain. [default: the predicted class]",
}


def photo_request(photos: int, option: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a request with up to `photos` photos, which FastAPI cannot infer
    since the handler reads the body itself."""
    many = {"type": "array", "minItems": 1, "maxItems": photos}
    entry = {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "string", "format": "byte"},
            "name": {"type": "string"},
        },
    }
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {**many, "items": IMAGE["schema"]}},
    }
    return {
        "parameters": [
            {
                "name": "name",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": "The model: the name of its file, without .eyespot.",
            },
            option,
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/*": IMAGE,
                "application/octet-stream": IMAGE,
                "multipart/form-data": {"schema": form},
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["photos"],
                        "properties": {"photos": {**many, "items": entry}},
                    }
                },
            },
        },
    }
