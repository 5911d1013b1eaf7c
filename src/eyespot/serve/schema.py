"""What the OpenAPI description says of requests and answers; nothing else uses these."""

from typing import Any

from pydantic import BaseModel

from eyespot.serve.settings import Limits


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


class Model(BaseModel):
    """A classifier. A picture whose familiarity is below `threshold` is none of its classes."""

    name: str
    labels: list[str]
    backbone: str
    method: str
    threshold: float
    temperature: float
    metrics: dict[str, Any]


class Models(BaseModel):
    models: list[Model]


class State(BaseModel):
    status: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are a Problem."""
    return {status: {"model": Problem} for status in (401, 403, 421, 500, *statuses)}


_PICTURE = {"schema": {"type": "string", "format": "binary"}}


def predict(limits: Limits) -> dict[str, Any]:
    """What FastAPI cannot read off the route that predicts, since it reads requests itself."""
    many = {"type": "array", "minItems": 1, "maxItems": limits.pictures}
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
        "properties": {"file": {**many, "items": _PICTURE["schema"]}},
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
            {
                "name": "top",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "default": 5},
                "description": "How many classes to tell.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/*": _PICTURE,
                "application/octet-stream": _PICTURE,
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
