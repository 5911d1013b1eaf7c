"""The steps of a dense head: positions that fired, and their candidate boxes."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eyespot.arrays import F32, U8
from eyespot.evaluation.boxes import Detections
from eyespot.explain.canvas import Canvas, sized
from eyespot.explain.colours import overlaid
from eyespot.explain.occlusion import scaled
from eyespot.shown import Brief, counted
from eyespot.tasks.detection.detect import candidates_of
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.frame import Frame
from eyespot.tasks.detection.prediction import Box

MOST_DRAWN = 100
"""Candidates that are drawn: those with the highest scores."""


@dataclass(frozen=True, slots=True, repr=False)
class DenseSteps(Brief):
    """`positions`: float32 [h, w], the highest score of a class at each position of the head.
    `candidates`: the boxes before non-maximum suppression, in pixels of the photo."""

    positions: F32
    candidates: Detections

    def summary(self) -> str:
        """See `steps.Steps`."""
        return counted(len(self.candidates.labels), "candidate box", "candidate boxes")

    def panels(self, canvas: Canvas) -> list[tuple[str, U8]]:
        """See `steps.Steps`."""
        count = len(self.candidates.labels)
        best, labels = self.candidates.boxes[:MOST_DRAWN], self.candidates.labels[:MOST_DRAWN]
        fired = sized(overlaid(scaled(self.positions), canvas.image))
        drawn = canvas.with_boxes(best, [""] * len(labels), labels.tolist())
        return [
            ("positions that fired", fired),
            (f"best {len(labels):,} of {count:,} candidate boxes", drawn),
        ]

    def to_dict(self) -> dict[str, Any]:
        """See `steps.Steps`."""
        return {
            "candidates": len(self.candidates.labels),
            "positions": np.round(self.positions, 4).astype(float).tolist(),
        }


def dense_steps(detector: Detector, frame: Frame, box: Box | None) -> DenseSteps:
    """The steps for a photo; all boxes have the same."""
    logits, distances = detector.engine.run(frame.pixels)
    candidates = candidates_of(logits, distances)
    in_photo = replace(candidates, boxes=frame.to_photo(candidates.boxes))
    return DenseSteps(1 / (1 + np.exp(-logits.max(2))), in_photo)
