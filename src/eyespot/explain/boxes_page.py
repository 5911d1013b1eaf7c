"""The steps of a detector as one image: positions, candidates, boxes, and what decides them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from eyespot.arrays import F32, U8
from eyespot.explain.colours import overlaid
from eyespot.explain.occlusion import scaled
from eyespot.explain.sheet import page
from eyespot.shown import percent, shortened
from eyespot.tasks.detection.draw import draw_boxes

if TYPE_CHECKING:
    from eyespot.explain.boxes import BoxEvidence, DetectionExplanation

SIDE = 420
"""Longest side of a panel, in pixels."""
MOST_DRAWN = 100
"""Candidates that are drawn: those with the highest scores."""
NAME = 60
"""Letters of a file name in the title, at most."""


def draw_detection(explanation: "DetectionExplanation") -> Image.Image:
    """A page: positions that fired, candidates before non-maximum suppression, boxes with numbers,
    and each explained box with its neighbourhood, bright where covering lowers its score most."""
    photo, prediction = explanation.image, explanation.prediction
    candidates, count = explanation.candidates, len(explanation.candidates.labels)
    corners = np.array([(b.xmin, b.ymin, b.xmax, b.ymax) for b in prediction.boxes], np.float32)
    numbers = [explanation.classes.index(box.label) for box in prediction.boxes]
    names = [
        f"{number} {box.label} {percent(box.probability)}"
        for number, box in enumerate(prediction.boxes, 1)
    ]
    drawn = (
        (candidates.boxes[:MOST_DRAWN], [""] * MOST_DRAWN, candidates.labels.tolist()),
        (corners.reshape(-1, 4), names, numbers),
    )
    before, after = (_with_boxes(explanation, *one) for one in drawn)
    panels = [
        ("1. positions that fired", _sized(overlaid(scaled(explanation.positions), photo))),
        (f"2. best {min(count, MOST_DRAWN):,} of {count:,} candidate boxes", before),
        (f"3. {len(numbers):,} boxes after suppression and thresholds", after),
        *(_panel(explanation, one) for one in explanation.evidence),
    ]
    name = Path(prediction.path).name[:NAME]
    title = "".join(letter if letter.isprintable() else "?" for letter in name)
    return page(f"{title}: {prediction.line()}", panels)


def _panel(explanation: "DetectionExplanation", one: "BoxEvidence") -> tuple[str, U8]:
    """The neighbourhood of a box, with the heat of its covered cells."""
    left, top, right, bottom = _in_input(explanation, np.array([one.region], np.float32))[0]
    part = explanation.image[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
    large = _sized(part)
    box = np.array([[one.box.xmin, one.box.ymin, one.box.xmax, one.box.ymax]], np.float32)
    corner = np.tile(np.array(one.region[:2], np.float32), 2)
    size = np.array(one.region[2:], np.float32) - corner[:2]
    scale = np.tile(np.array(large.shape[1::-1], np.float32) / size, 2)
    heated = Image.fromarray(overlaid(scaled(one.occlusion), large))
    outlined = draw_boxes(heated, (box - corner) * scale, [""], [0])
    most = 100 * max(0.0, float(one.occlusion.max()))
    return f"box {one.number}: up to {most:.2g} points less", np.asarray(outlined)


def _with_boxes(
    explanation: "DetectionExplanation", boxes: F32, labels: list[str], classes: list[int]
) -> U8:
    """The photo with boxes, given in pixels of the photo."""
    image = _sized(explanation.image)
    scale = np.tile(np.divide(image.shape[1::-1], explanation.image.shape[1::-1]), 2)
    corners = _in_input(explanation, boxes) * scale.astype(np.float32)
    short = [shortened([label], 1) if label else "" for label in labels]
    return np.asarray(draw_boxes(Image.fromarray(image), corners, short, classes))


def _in_input(explanation: "DetectionExplanation", boxes: F32) -> F32:
    size = np.divide(
        explanation.image.shape[1::-1],
        (explanation.prediction.width, explanation.prediction.height),
    )
    return np.asarray(boxes * np.tile(size, 2), np.float32)


def _sized(pixels: U8) -> U8:
    """In the same proportions; the longest side is SIDE."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
