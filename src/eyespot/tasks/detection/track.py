"""Tracks of boxes through a video, so that an object is counted once.

Bochinski, Eiselein, Sikora, "High-Speed Tracking-by-Detection Without Using Image Information",
AVSS 2017, section 3: a detection continues the track of its class whose last box overlaps it most,
and short tracks are not counted. Tracks wait for a few frames without a detection, as in
Bochinski, Senst, Sikora, "Extending IOU Based Multi-Object Tracking by Visual Information", AVSS
2018, but no image is read for it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eyespot.arrays import F32, F64
from eyespot.evaluation.boxes import iou
from eyespot.tasks.detection.prediction import Box, DetectionPrediction

LEAST_OVERLAP = 0.3
"""Intersection over union from which a detection continues a track."""
PATIENCE = 5
"""Frames without a detection after which a track ends."""
LEAST_LENGTH = 3
"""Detections from which on a track is counted."""


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """One frame of a video. `number`: from 1. `tracks`: the number of the track of each box, from
    1. `totals`: the tracks so far that are long enough to be counted, by class."""

    number: int
    prediction: DetectionPrediction
    tracks: tuple[int, ...]
    totals: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = self.prediction.to_answer()
        boxes = [
            {**box, "track": track} for box, track in zip(found["boxes"], self.tracks, strict=True)
        ]
        return {"frame": self.number, **found, "boxes": boxes}


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    last: int
    length: int = 1


@dataclass(slots=True)
class Tracker:
    """Continues tracks frame by frame."""

    _tracks: list[_Track] = field(default_factory=list)
    _totals: Counter[str] = field(default_factory=Counter)
    _frames: int = 0
    _started: int = 0

    def update(self, prediction: DetectionPrediction) -> TrackedFrame:
        """The next frame: each box continues a track or begins one. Pairs with a higher overlap
        come first."""
        self._frames += 1
        oldest = self._frames - 1 - PATIENCE
        self._tracks = [one for one in self._tracks if one.last >= oldest]
        boxes = prediction.boxes
        overlap = _overlaps([one.box for one in self._tracks], boxes)
        found: dict[int, _Track] = {}
        while overlap.size and overlap.max() >= LEAST_OVERLAP:
            row, column = divmod(int(overlap.argmax()), len(boxes))
            found[column] = self._tracks[row]
            overlap[row], overlap[:, column] = 0, 0
        for index, box in enumerate(boxes):
            if index in found:
                known = found[index]
                known.box, known.last, known.length = box, self._frames, known.length + 1
            else:
                self._started += 1
                found[index] = _Track(self._started, box, self._frames)
                self._tracks.append(found[index])
            self._totals[box.label] += found[index].length == LEAST_LENGTH
        numbers = tuple(found[index].number for index in range(len(boxes)))
        totals = {label: count for label, count in self._totals.most_common() if count}
        return TrackedFrame(self._frames, prediction, numbers, totals)


def _overlaps(tracks: Sequence[Box], boxes: Sequence[Box]) -> F64:
    """Intersection over union float64 [n, m]; 0 between boxes of different classes."""
    same = np.array([[track.label == box.label for box in boxes] for track in tracks], bool)
    shape = len(tracks), len(boxes)
    return np.where(same.reshape(shape), iou(_corners(tracks), _corners(boxes)), 0.0)


def _corners(boxes: Sequence[Box]) -> F32:
    corners = [(one.xmin, one.ymin, one.xmax, one.ymax) for one in boxes]
    return np.array(corners, np.float32).reshape(-1, 4)
