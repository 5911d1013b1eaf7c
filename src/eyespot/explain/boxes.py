"""Explain detections: what decides each box, and the steps of the method before the boxes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL.Image import Image

from eyespot.arrays import F32, U8
from eyespot.data.given import PhotoLike, photo_of
from eyespot.data.photos import Photo
from eyespot.errors import UsageError
from eyespot.evaluation.boxes import iou
from eyespot.explain.occlusion import ACROSS, CELLS, covered, heat
from eyespot.explain.steps import STEPS, Steps
from eyespot.shown import Brief, counted, percent
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.frame import Frame, frame_of
from eyespot.tasks.detection.prediction import Box, DetectionPrediction

MOST = 6
"""Boxes that are explained where none is named; each needs 49 runs of the network."""
MARGIN = 0.5
"""Of the neighbourhood around a box, as a share of its sides."""
LEAST_EFFECT = 0.005
"""Smallest loss of probability that is reported."""
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")


@dataclass(frozen=True, slots=True, repr=False)
class BoxEvidence(Brief):
    """What decides one box. `number`: from 1, as `predict` orders the boxes. `region`: the box and
    its neighbourhood, xmin, ymin, xmax, ymax in pixels of the photo. `occlusion`: float32
    [CELLS, CELLS], how much covering each cell of the region lowers the score of the box."""

    number: int
    box: Box
    region: tuple[float, float, float, float]
    occlusion: F32

    @property
    def inside(self) -> float | None:
        """The share of all loss that is within the box; None where covering loses nothing."""
        loss = np.maximum(self.occlusion, 0)
        if loss.max() < LEAST_EFFECT:
            return None
        left, top, right, bottom = self.region
        x = left + (right - left) * (np.arange(CELLS) + 0.5) / CELLS
        y = top + (bottom - top) * (np.arange(CELLS) + 0.5) / CELLS
        across = (x > self.box.xmin) & (x < self.box.xmax)
        down = (y > self.box.ymin) & (y < self.box.ymax)
        return float(loss[np.ix_(down, across)].sum() / loss.sum())

    def line(self) -> str:
        """The box and what decides it."""
        box = self.box
        text = f"{self.number}  {box.label}, {percent(box.probability)}"
        text += f", ({box.xmin:.0f}, {box.ymin:.0f}) to ({box.xmax:.0f}, {box.ymax:.0f})"
        if self.inside is None:
            return f"{text}: no covered part lowers the score."
        most = 100 * float(self.occlusion.max())
        return (
            f"{text}: covering its {self._place()} lowers the score by up to {most:.0f} points. "
            f"{percent(self.inside)} of the effect is within the box."
        )

    def _place(self) -> str:
        """The part of the box that decides most, in words."""
        row, column = np.unravel_index(int(self.occlusion.argmax()), self.occlusion.shape)
        left, top, right, bottom = self.region
        x = left + (right - left) * (float(column) + 0.5) / CELLS
        y = top + (bottom - top) * (float(row) + 0.5) / CELLS
        across = (x - self.box.xmin) / max(self.box.xmax - self.box.xmin, 1e-6)
        down = (y - self.box.ymin) / max(self.box.ymax - self.box.ymin, 1e-6)
        if not (0 < across < 1 and 0 < down < 1):
            return "surroundings"
        place = f"{ROWS[int(3 * down)]} {COLUMNS[int(3 * across)]}"
        return "centre" if place == "middle centre" else place


@dataclass(frozen=True, slots=True, repr=False)
class DetectionExplanation(Brief):
    """How a detector finds the boxes of a photo.

    `image`: the network's input, uint8 [H, W, 3]. `steps`: of the method, before the boxes.
    `evidence`: what decides the explained boxes.
    """

    prediction: DetectionPrediction
    classes: tuple[str, ...]
    image: U8
    steps: Steps
    evidence: tuple[BoxEvidence, ...]

    def lines(self) -> list[str]:
        """The evidence as text, the path first."""
        shown = self.prediction.boxes
        lines = [
            self.prediction.path,
            f"  {self.steps.summary()}, {len(shown):,} shown: {self.prediction.line()}",
            *(f"  {one.line()}" for one in self.evidence),
        ]
        if len(self.evidence) not in (1, len(shown)):
            rest = len(shown) - len(self.evidence)
            lines.append(f"  And {rest:,} more. To explain another box: --box NUMBER")
        return lines

    def draw(self) -> Image:
        """The steps and the evidence as one image; see `draw_detection`."""
        from eyespot.explain.boxes_page import draw_detection

        return draw_detection(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = {"path": self.prediction.path, "error": self.prediction.error or None}
        return found | self.to_answer()

    def to_answer(self) -> dict[str, Any]:
        """As `to_dict`, without path and error."""
        return {
            **self.prediction.to_answer(),
            **self.steps.to_dict(),
            "explained": [
                {
                    "number": one.number,
                    **asdict(one.box),
                    "region": [round(side, 2) for side in one.region],
                    "occlusion": np.round(one.occlusion, 6).astype(float).tolist(),
                    "inside": one.inside,
                }
                for one in self.evidence
            ],
        }


def explain_boxes(
    detector: Detector, photo: Photo | PhotoLike, box: int | None = None
) -> DetectionExplanation:
    """Explain the boxes in a photo: the `MOST` most probable, or that with the number `box`, from
    1, in the order of `predict`.

    `photo`: as `Detector.predict` takes it. Raises PhotoError if it cannot be read, UsageError if
    there is no such box.
    """
    given = photo_of(photo)
    frame = frame_of(given.read())
    prediction = detector.predict_frame(given.name, frame)
    chosen = _chosen(prediction, box)
    followed = prediction.boxes[chosen[0] - 1] if chosen else None
    evidence = [_evidence(detector, frame, one, prediction.boxes[one - 1]) for one in chosen]
    return DetectionExplanation(
        prediction,
        detector.classes,
        frame.pixels,
        STEPS[detector.method](detector, frame, followed),
        tuple(evidence),
    )


def _chosen(prediction: DetectionPrediction, box: int | None) -> Sequence[int]:
    count = len(prediction.boxes)
    if box is None:
        return range(1, min(count, MOST) + 1)
    if not 1 <= box <= count:
        raise UsageError(
            f"There is no box {box}: the detector shows {counted(count, 'box', 'boxes')} in "
            f"{prediction.path}. Numbers begin at 1 with the most probable box."
        )
    return [box]


def _evidence(detector: Detector, frame: Frame, number: int, box: Box) -> BoxEvidence:
    """Cover squares of the box and its neighbourhood, one after another, in the mean colour of the
    network's training images, as for classifiers (`explain.occlusion`). The score of the box in a
    covered photo is the largest product of a detection's overlap with it and probability, among
    those of its class: the similarity of Petsiuk et al., "Black-box Explanation of Object Detectors
    via Saliency Maps", CVPR 2021, equation 4."""
    target = np.array([[box.xmin, box.ymin, box.xmax, box.ymax]], np.float32)
    label = detector.classes.index(box.label)
    region = _around(target[0], frame)
    left, top, right, bottom = (
        np.round(frame.to_input(np.array([region], np.float32))[0]).astype(int).tolist()
    )
    x, y = (
        np.linspace(low, high, CELLS + 1).round().astype(int).tolist()
        for low, high in ((left, right), (top, bottom))
    )
    squares = [
        (x[column], y[row], x[column + ACROSS], y[row + ACROSS])
        for row in range(CELLS + 1 - ACROSS)
        for column in range(CELLS + 1 - ACROSS)
    ]
    colour = detector.backbone.preprocessing.mean

    def score(cover: Sequence[tuple[int, int, int, int]]) -> float:
        found = detector.detect(replace(frame, pixels=covered(frame.pixels, cover, colour)))
        own = found.labels == label
        return float((iou(target, found.boxes[own])[0] * found.scores[own]).max(initial=0))

    with detector.engine.pool() as pool:
        scores = list(pool.map(score, [(), *((square,) for square in squares)]))
    return BoxEvidence(number, box, region, heat(np.array(scores)[:, None], 0))


def _around(box: F32, frame: Frame) -> tuple[float, float, float, float]:
    """The box with its margin, within the photo."""
    left, top, right, bottom = box.tolist()
    across, down = MARGIN * (right - left), MARGIN * (bottom - top)
    return (
        max(left - across, 0.0),
        max(top - down, 0.0),
        min(right + across, float(frame.width)),
        min(bottom + down, float(frame.height)),
    )
