"""The steps of Fast R-CNN: proposals, the pooled values of one of them, its class scores."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from eyespot.arrays import F32, U8
from eyespot.evaluation.boxes import iou
from eyespot.explain.canvas import SIDE, Canvas
from eyespot.explain.colours import coloured, palette
from eyespot.explain.sheet import BLACK, CAPTION, GREY, grid
from eyespot.shown import Brief, counted, percent, shortened
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.engine import detector_module
from eyespot.tasks.detection.fast_rcnn_shapes import POOLED
from eyespot.tasks.detection.frame import Frame
from eyespot.tasks.detection.prediction import Box

MOST_DRAWN = 100
"""Proposals that are drawn: those with the highest objectness."""
MOST_SCORES = 10
"""Class scores that are drawn, the highest first."""
MARGIN = 0.25
"""Of the photo around the RoI, as a share of its sides."""
ROW = 36
"""Pixels of a class score."""


@dataclass(frozen=True, slots=True, repr=False)
class FastRCNNSteps(Brief):
    """`proposals`: float32 [P, 4] in pixels of the photo, the highest objectness first.
    `objectness`: float32 [P], 0..1. `roi`: the index of the proposal that is followed, None without
    proposals. `pooled`: float32 [C, POOLED, POOLED], its values after RoIAlign. `scores`: float32
    [K + 1], its softmax, the background first. `classes`: the K names."""

    proposals: F32
    objectness: F32
    roi: int | None
    pooled: F32
    scores: F32
    classes: tuple[str, ...]

    def summary(self) -> str:
        """See `steps.Steps`."""
        return counted(len(self.proposals), "proposal", "proposals")

    def panels(self, canvas: Canvas) -> list[tuple[str, U8]]:
        """See `steps.Steps`."""
        best = min(len(self.proposals), MOST_DRAWN)
        caption = f"best {best:,} of {self.summary()}, bright: high objectness"
        panels = [(caption, self._proposals(canvas))]
        if self.roi is not None:
            channels = f"{len(self.pooled):,} channels of the pooled RoI"
            panels += [
                (
                    f"proposal {self.roi + 1:,} as an RoI of {POOLED} x {POOLED} bins",
                    self._bins(canvas, self.proposals[self.roi]),
                ),
                (channels, grid(coloured(self.pooled), SIDE)),
                ("its class scores (softmax), not calibrated", self._scores()),
            ]
        return panels

    def to_dict(self) -> dict[str, Any]:
        """See `steps.Steps`."""
        names = [None, *self.classes]
        return {
            "proposals": np.round(self.proposals, 2).astype(float).tolist(),
            "objectness": np.round(self.objectness, 4).astype(float).tolist(),
            "roi": None if self.roi is None else self.roi + 1,
            "pooled": np.round(self.pooled, 4).astype(float).tolist(),
            "scores": [
                {"label": name, "probability": float(score)}
                for name, score in zip(names, self.scores, strict=False)
            ],
        }

    def _proposals(self, canvas: Canvas) -> U8:
        """The photo with the best proposals, the very best above the others."""
        image = Image.fromarray(canvas.photo())
        pen = ImageDraw.Draw(image)
        colours = palette()[np.round(255 * self.objectness[:MOST_DRAWN]).astype(np.uint8)]
        boxes = canvas.placed(self.proposals[:MOST_DRAWN])
        for box, colour in zip(boxes[::-1].tolist(), colours[::-1].tolist(), strict=True):
            pen.rectangle(box, outline=tuple(colour), width=2)
        return np.asarray(image)

    def _bins(self, canvas: Canvas, roi: F32) -> U8:
        """The neighbourhood of the RoI, with the sides of its bins."""
        margin = MARGIN * np.tile(roi[2:] - roi[:2], 2) * (-1, -1, 1, 1)
        limit = np.tile((canvas.width, canvas.height), 2)
        region = np.clip(roi + margin, 0, limit)
        image = Image.fromarray(canvas.part(region.tolist()))
        scale = np.array(image.size) / (region[2:] - region[:2])
        low, high = (roi[:2] - region[:2]) * scale, (roi[2:] - region[:2]) * scale
        pen = ImageDraw.Draw(image)
        for x, y in np.linspace(low, high, POOLED + 1).tolist():
            for colour, width in (("black", 3), ("white", 1)):
                pen.line((x, low[1], x, high[1]), colour, width)
                pen.line((low[0], y, high[0], y), colour, width)
        return np.asarray(image)

    def _scores(self) -> U8:
        """A bar for each class and the background, the highest first."""
        names = ["background", *self.classes]
        order = np.argsort(-self.scores, kind="stable")[:MOST_SCORES].tolist()
        image = Image.new("RGB", (SIDE, ROW * len(order)), "white")
        pen, font = ImageDraw.Draw(image), ImageFont.load_default(CAPTION)
        for row, index in enumerate(order):
            score, top = float(self.scores[index]), ROW * row
            pen.text((0, top), f"{shortened([names[index]], 1)} {percent(score)}", BLACK, font)
            bar = (0, top + CAPTION + 5, 1 + round(score * (SIDE - 2)), top + CAPTION + 13)
            pen.rectangle(bar, fill="#0b6bcb" if index else GREY)
        return np.asarray(image)


def fast_rcnn_steps(detector: Detector, frame: Frame, box: Box | None) -> FastRCNNSteps:
    """The steps for a photo, in torch. The RoI is that which gives `box`; None: the RoI with the
    highest score of a class."""
    import torch

    from eyespot.models.roi import roi_align
    from eyespot.tasks.detection.fast_rcnn_head import STRIDE, FastRCNNHead

    module = detector_module(detector)
    head = module.get_submodule("head")
    assert isinstance(head, FastRCNNHead)
    with torch.inference_mode():
        pixels = torch.from_numpy(frame.pixels[None].copy())
        trunk = head.trunk(module.get_submodule("maps")(pixels))
        ((rois, objectness),) = head.ranked(trunk)
        rois, objectness = rois[objectness > 0], objectness[objectness > 0]
        features = head.features(trunk, rois)
        scores = head.classes(features).softmax(1).numpy()
        boxes = head.boxes(features, rois).numpy()
        roi = _followed(detector, frame, box, scores, boxes)
        chosen = rois[:0] if roi is None else rois[roi : roi + 1]
        pooled = roi_align(trunk, chosen, stride=STRIDE, size=POOLED).numpy()
    return FastRCNNSteps(
        frame.to_photo(rois.numpy()),
        objectness.numpy(),
        roi,
        pooled.reshape(-1, POOLED, POOLED),
        scores[:0].ravel() if roi is None else scores[roi],
        detector.classes,
    )


def _followed(
    detector: Detector, frame: Frame, box: Box | None, scores: F32, boxes: F32
) -> int | None:
    """The RoI with the box that overlaps `box` most, as the engine rounds differently from torch;
    `scores` [R, K + 1], `boxes` [R, K, 4] in pixels of the input."""
    if not len(scores):
        return None
    if box is None:
        return int(scores[:, 1:].max(1).argmax())
    corrected = frame.to_photo(boxes[:, detector.classes.index(box.label)])
    corners = np.array([[box.xmin, box.ymin, box.xmax, box.ymax]], np.float32)
    return int(iou(corners, corrected)[0].argmax())
