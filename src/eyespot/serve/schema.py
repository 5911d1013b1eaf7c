"""What the OpenAPI description says of requests and answers; nothing else uses these."""

from typing import Any

from pydantic import BaseModel


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


class PictureError(BaseModel):
    code: str
    message: str


class Prediction(BaseModel):
    """`label`: null if the picture is none of the classes (`unknown`) or cannot be read (`error`).
    `top`: the most probable first."""

    name: str
    label: str | None
    unknown: bool
    top: list[Guess]
    error: PictureError | None


class Answer(BaseModel):
    """One prediction for each picture, in their order."""

    model: str
    predictions: list[Prediction]


class Near(BaseModel):
    label: str
    similarity: float


class Change(BaseModel):
    """`squares`: left, top, right and bottom, in shares of what the network sees; covered, they
    make the answer `label`. `share`: of the picture."""

    squares: list[tuple[float, float, float, float]]
    share: float
    label: str
    probability: float


class Explanation(BaseModel):
    """Why, or why not `label`. `attention`: Grad-CAM, 0..1, row by row. `occlusion`: how much
    probability is lost where the picture is covered. `near`: the taught photos most alike; null if
    they were not kept. `change`: the least that changes the answer; null if nothing was found."""

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


class Model(BaseModel):
    """A classifier. A photo with an OOD score above `ood_threshold` is rejected."""

    name: str
    labels: list[str]
    backbone: str
    method: str
    ood_threshold: float
    temperature: float
    metrics: dict[str, Any]


class Models(BaseModel):
    models: list[Model]


class State(BaseModel):
    status: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are a Problem."""
    return {status: {"model": Problem} for status in (401, 403, 421, 500, *statuses)}


PICTURE = {"schema": {"type": "string", "format": "binary"}}
"""A picture's file, as a body."""

TOP = {
    "name": "top",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "default": 5},
    "description": "How many classes to tell.",
}
LABEL = {
    "name": "label",
    "in": "query",
    "schema": {"type": "string"},
    "description": "The class to explain. [default: the answer]",
}


def asking(pictures: int, option: dict[str, Any]) -> dict[str, Any]:
    """What FastAPI cannot read off a route that takes up to so many pictures, since it reads
    requests itself."""
    many = {"type": "array", "minItems": 1, "maxItems": pictures}
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
        "properties": {"file": {**many, "items": PICTURE["schema"]}},
    }
    return {
        "parameters": [
            {
                "name": "name",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": "The classifier: the name of its file, without .eyespot.",
            },
            option,
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/*": PICTURE,
                "application/octet-stream": PICTURE,
                "multipart/form-data": {"schema": form},
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["pictures"],
                        "properties": {"pictures": {**many, "items": entry}},
                    }
                },
            },
        },
    }
