"""Images made of a photo and the boxes that a detector found in it."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from eyespot.arrays import F64
from eyespot.shown import percent
from eyespot.tasks.detection.draw import draw_boxes
from eyespot.tasks.detection.prediction import DetectionPrediction


def annotated_photo(
    photo: Image.Image,
    prediction: DetectionPrediction,
    classes: Sequence[str],
    tracks: Sequence[int] = (),
) -> Image.Image:
    """A copy of the photo with boxes, class names and probabilities. `tracks`: the number of each
    box in a video, which stands first."""
    labels = [f"{box.label} {percent(box.probability)}{box.more()}" for box in prediction.boxes]
    if tracks:
        labels = [f"{track} {label}" for track, label in zip(tracks, labels, strict=True)]
    numbers = [classes.index(box.label) for box in prediction.boxes]
    corners = _corners(photo, prediction).astype(np.float32)
    return draw_boxes(photo, corners, labels, numbers)


def crops_of(
    photo: Image.Image, prediction: DetectionPrediction
) -> Iterator[tuple[str, Image.Image]]:
    """The label and the part of the photo of each box, the most probable first."""
    width, height = photo.size
    corners = _corners(photo, prediction)
    for box, (xmin, ymin, xmax, ymax) in zip(prediction.boxes, corners.tolist(), strict=True):
        left, top = min(max(int(xmin), 0), width - 1), min(max(int(ymin), 0), height - 1)
        right, bottom = min(int(np.ceil(xmax)), width), min(int(np.ceil(ymax)), height)
        yield box.label, photo.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


def _corners(photo: Image.Image, prediction: DetectionPrediction) -> F64:
    """The boxes [n, 4] in pixels of `photo`, which may have been decoded at a reduced size."""
    boxes = [(box.xmin, box.ymin, box.xmax, box.ymax) for box in prediction.boxes]
    scale = np.tile([photo.width / prediction.width, photo.height / prediction.height], 2)
    return np.asarray(np.array(boxes, np.float64).reshape(-1, 4) * scale)
