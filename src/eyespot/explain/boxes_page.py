"""The steps of a detector as one image: those of its method, boxes, and what decides them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from eyespot.arrays import U8
from eyespot.explain.canvas import Canvas
from eyespot.explain.colours import overlaid
from eyespot.explain.occlusion import scaled
from eyespot.explain.sheet import page
from eyespot.shown import percent
from eyespot.tasks.detection.draw import draw_boxes

if TYPE_CHECKING:
    from eyespot.explain.boxes import BoxEvidence, DetectionExplanation

NAME = 60
"""Letters of a file name in the title, at most."""


def draw_detection(explanation: "DetectionExplanation") -> Image.Image:
    """A page: the steps of the method, boxes with numbers, and each explained box with its
    neighbourhood, bright where covering lowers its score most."""
    prediction = explanation.prediction
    canvas = Canvas(explanation.image, prediction.width, prediction.height)
    corners = np.array([(b.xmin, b.ymin, b.xmax, b.ymax) for b in prediction.boxes], np.float32)
    numbers = [explanation.classes.index(box.label) for box in prediction.boxes]
    names = [
        f"{number} {box.label} {percent(box.probability)}"
        for number, box in enumerate(prediction.boxes, 1)
    ]
    drawn = canvas.with_boxes(corners.reshape(-1, 4), names, numbers)
    last = f"{len(numbers):,} boxes after suppression and thresholds"
    steps = [*explanation.steps.panels(canvas), (last, drawn)]
    panels = [
        *((f"{number}. {caption}", image) for number, (caption, image) in enumerate(steps, 1)),
        *(_panel(canvas, one) for one in explanation.evidence),
    ]
    name = Path(prediction.path).name[:NAME]
    title = "".join(letter if letter.isprintable() else "?" for letter in name)
    return page(f"{title}: {prediction.line()}", panels)


def _panel(canvas: Canvas, one: "BoxEvidence") -> tuple[str, U8]:
    """The neighbourhood of a box, with the heat of its covered cells."""
    large = canvas.part(one.region)
    box = np.array([[one.box.xmin, one.box.ymin, one.box.xmax, one.box.ymax]], np.float32)
    corner = np.tile(np.array(one.region[:2], np.float32), 2)
    size = np.array(one.region[2:], np.float32) - corner[:2]
    scale = np.tile(np.array(large.shape[1::-1], np.float32) / size, 2)
    heated = Image.fromarray(overlaid(scaled(one.occlusion), large))
    outlined = draw_boxes(heated, (box - corner) * scale, [""], [0])
    most = 100 * max(0.0, float(one.occlusion.max()))
    return f"box {one.number}: up to {most:.2g} points less", np.asarray(outlined)
