"""Layers, costs and stage shapes of the catalogue's networks, from `facts.json` beside this file.

Importing this file does not import torch. After a change to a network, write the file again with:
python -m eyespot.models.anatomy
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("facts.json")


@dataclass(frozen=True, slots=True)
class Layer:
    """One run of a module without children.

    `kind`: operation, window and stride, such as "Conv 3x3/2". `shape`: of the output for one
    image, [C, H, W] or [C]. `macs`: multiply-adds for one image. `receptive_field`: height in
    pixels of the part of the image that one position depends on; None for the whole image.
    `jump`: distance in pixels between neighbouring receptive fields; 0 for the whole image.
    `memory`: bytes of the output in float32; 0 for element-wise operations, which can overwrite
    their input.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    receptive_field: int | None
    jump: int
    memory: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Costs of a network for one image.

    `parameters`: all of them, including auxiliary classifiers that only training uses. `macs`:
    multiply-adds of a prediction. `memory`: bytes of a forward pass in float32: the image and the
    output of each convolution, pooling and fully connected layer (as lecture 9 of Stanford's CS231n
    adds them up); other layers can overwrite their input.
    """

    parameters: int
    macs: int
    memory: int


@dataclass(frozen=True, slots=True)
class Facts:
    """A network's layers in the order they run, and the output shape [C, H, W] of each stage."""

    totals: Totals
    stages: dict[str, tuple[int, ...]]
    layers: tuple[Layer, ...]

    @classmethod
    def from_row(cls, row: list[Any]) -> "Facts":
        totals, stages, layers = row
        return cls(
            Totals(*totals),
            {stage: tuple(shape) for stage, shape in stages.items()},
            tuple(Layer(name, kind, tuple(shape), *rest) for name, kind, shape, *rest in layers),
        )


def known_facts(name: str) -> Facts:
    """Facts of the catalogue's network called `name`."""
    return Facts.from_row(_rows()[name])


@cache
def _rows() -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = json.loads(FILE.read_text("utf-8"))
    return rows
