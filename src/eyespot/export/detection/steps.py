"""ONNX steps of a head in the graph of a detector, and their constants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Steps:
    """ONNX text from the outputs of a head for one photo to boxes, with a step of `graph` between.

    `outputs`: types of the head's outputs, by name. `candidates`: from them to `box` float [n, 4]
    in pixels of the input, `label` int64 [n], `score` float [n], the highest first, `logit` float
    [n], the log-odds of the scores, and `classes` int64, their number. Of these, non-maximum
    suppression keeps `kept_box` float [m, 4] and `kept_label` int64 [m]. `placed`: from these to
    `placed` float [m, 4], the final boxes. `constants`: arrays by name, in addition to those of
    `graph`.
    """

    outputs: Mapping[str, str]
    candidates: str
    placed: str
    constants: Callable[[], dict[str, Any]]
