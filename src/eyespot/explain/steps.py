"""The steps from a photo to boxes, as each method takes them. A new method is a file and a row."""

from collections.abc import Callable
from typing import Any, Protocol

from eyespot.arrays import U8
from eyespot.explain.canvas import Canvas
from eyespot.explain.dense_steps import dense_steps
from eyespot.explain.fast_rcnn_steps import fast_rcnn_steps
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.frame import Frame
from eyespot.tasks.detection.prediction import Box


class Steps(Protocol):
    """What a head computes before its boxes."""

    def summary(self) -> str:
        """How many boxes the head begins with, such as "831 candidate boxes"."""

    def panels(self, canvas: Canvas) -> list[tuple[str, U8]]:
        """A caption and an image uint8 [H, W, 3] of each step."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


STEPS: dict[str, Callable[[Detector, Frame, Box | None], Steps]] = {
    "dense": dense_steps,
    "finetune": dense_steps,
    "fast-rcnn": fast_rcnn_steps,
}
"""By method: the steps of a photo. The box: the one to follow, of those that are shown."""
