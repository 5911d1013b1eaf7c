"""Routes of Search: the settings, and the scene of a round with the looks of the ideal searcher."""

import base64
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from eyespot.playground.hidden_target import (
    DIFFICULTIES,
    MOST_LOOKS,
    MOST_SEED,
    ROUNDS,
    make_scene,
    model_search,
)
from eyespot.playground.textures import SCALE, SIDE, TEXTURES
from eyespot.studio.answers import Answer
from eyespot.studio.parameters import Words
from eyespot.tasks.search.observer import triangular_grid

router = APIRouter(prefix="/api/search")


class RoundRequest(BaseModel):
    """A round of the game that `seed`, `texture` and `difficulty` make."""

    model_config = ConfigDict(extra="forbid")

    seed: Annotated[int, Field(ge=0, le=MOST_SEED)]
    texture: Words
    difficulty: Words
    round: Annotated[int, Field(ge=0, lt=ROUNDS)]


@router.get("")
def settings() -> dict[str, Any]:
    """The `textures`, the `difficulties` (slopes b of d', by name), the largest seed,
    the numbers of rounds and looks, the `side` of a scene in pixels and in `degrees`, and the
    `places` [n, 2] of the target: degrees from the centre, to the right and down."""
    return {
        "textures": list(TEXTURES),
        "difficulties": DIFFICULTIES,
        "most_seed": MOST_SEED,
        "rounds": ROUNDS,
        "most_looks": MOST_LOOKS,
        "side": SIDE,
        "degrees": SIDE / SCALE,
        "places": triangular_grid().round(4).tolist(),
    }


@router.post("")
def play(request: RoundRequest) -> Answer:
    """The scene and the model's search.

    `texture`: base64 of uint8 [side, side], where 127.5 is grey and 0 and 255 a contrast of -1 and
    1; `patch`: rows of the contrast that the target adds around its place; `place`: the index of
    that place. `model`: the `looks` [n, 2] in degrees, the place of its `answer`, and whether that
    was the target's.
    """
    scene = make_scene(request.seed, request.round, request.texture)
    found = model_search(request.seed, request.round, scene.place, request.difficulty)
    pixels = np.rint(127.5 * (1 + scene.texture)).clip(0, 255).astype(np.uint8)
    return {
        "texture": base64.b64encode(pixels.tobytes()).decode(),
        "patch": scene.patch.round(4).tolist(),
        "place": scene.place,
        "model": {
            "looks": found.fixations.round(4).tolist(),
            "answer": found.answer,
            "found": found.found,
        },
    }
