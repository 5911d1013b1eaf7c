"""Compare the boxes of an export with those of the detector."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.arrays import U8, Bools
from eyespot.data.finding import Finding
from eyespot.data.photos import Skipped
from eyespot.errors import DatasetError, ExportError, PhotoError
from eyespot.evaluation.boxes import Detections
from eyespot.evaluation.detection_calibration import calibrate
from eyespot.export.check import EDGE, TOLERANCE, photos_to_check, picked_of
from eyespot.progress import Progress
from eyespot.shown import counted
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.engine import detector_module
from eyespot.tasks.detection.frame import frame_of
from eyespot.tasks.detection.method import method_called

DISTANCE = 1.0
"""Largest difference of a side of a box, in pixels of the input."""

Run = Callable[[U8], Sequence[Any]]
"""An export: uint8 RGB [H, W, 3] -> boxes [n, 4], labels [n], scores [n], shown [n]."""


@dataclass(frozen=True, slots=True)
class BoxAgreement:
    """Comparison on `photos`, in which the detector finds `detections`, `boxes` of which are shown.
    `same`: photos whose shown boxes are the same. `difference`: the largest of a probability, and
    `distance`: of a side in pixels of the input, both of boxes that correspond. `edge`: photos with
    other boxes. `findings`: about the photos."""

    photos: int
    same: int
    boxes: int
    detections: int
    difference: float
    distance: float
    edge: int = 0
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        findings = [finding.to_dict() for finding in self.findings]
        limits = {"tolerance": TOLERANCE, "tolerance_pixels": DISTANCE}
        return asdict(self) | limits | {"findings": findings}

    def line(self) -> str:
        """The result for a terminal."""
        if not self.detections:
            return (
                f"Checked on {counted(self.photos, 'photo')} in which the detector finds nothing. "
                "Check with photos of objects: --check-with PHOTOS"
            )
        return (
            f"Checked on {counted(self.photos, 'photo')}: {self.same:,} with the same boxes "
            f"({counted(self.boxes, 'box', 'boxes')} shown, {self.detections:,} with those below "
            f"the threshold), largest difference of a probability {self.difference:.5f}, of a side "
            f"{self.distance:.3f} pixels."
        )


def check_boxes(
    run: Run, detector: Detector, photos: str | Path | None, progress: Progress
) -> BoxAgreement:
    """Compare boxes on the photos in a folder, or on crops of two images of scikit-learn.

    Both compute in float32. Raises ExportError if the boxes of more than `EDGE` of the photos
    differ, DatasetError if no photo can be read.
    """
    found = photos_to_check(photos)
    picked, reference = picked_of(found), _in_torch(detector)
    detections = method_called(detector.method).detections
    skipped, compared = list(found.skipped), []
    for number, photo in enumerate(picked):
        progress("Comparing boxes", number, len(picked))
        try:
            pixels = frame_of(photo.read()).pixels
        except PhotoError as error:
            skipped.append(Skipped(photo.name, str(error)))
            continue
        expected = calibrate(detector.calibration, detections(*reference(pixels)))
        compared.append(_compare(expected, run(pixels), expected_shown(detector, expected)))
    progress("Comparing boxes", len(picked), len(picked))
    if not compared:
        raise DatasetError("None of the photos to check with can be read. Name other photos.")
    edge = sum(one.differs for one in compared)
    if edge > max(1, EDGE * len(compared)) or edge == len(compared):
        raise ExportError(
            f"The boxes of the export differ from those of the detector in {edge} of "
            f"{len(compared)} photos. Nothing was written. Upgrade the packages of the format, or "
            "choose another format."
        )
    return BoxAgreement(
        len(compared),
        sum(one.same for one in compared),
        sum(one.boxes for one in compared),
        sum(one.detections for one in compared),
        max(one.difference for one in compared),
        max(one.distance for one in compared),
        edge,
        tuple(skipped),
        found.findings,
    )


def expected_shown(detector: Detector, found: Detections) -> Bools:
    """Which of the detections `predict` shows: bool [n]."""
    return np.asarray(found.scores >= detector.thresholds[found.labels])


@dataclass(frozen=True, slots=True)
class _Compared:
    same: bool
    differs: bool
    boxes: int
    detections: int
    difference: float
    distance: float


def _compare(expected: Detections, exported: Sequence[Any], shown: Bools) -> _Compared:
    """Boxes correspond where their class is the same and neither score nor sides differ by more
    than the tolerances. Of the boxes below the thresholds, `EDGE` may have none: the order of equal
    scores is not defined."""
    boxes, labels, scores, exported_shown = exported
    sides = np.abs(expected.boxes[:, None] - boxes).max(2, initial=0)
    gaps = np.abs(expected.scores[:, None] - scores)
    pairs = (expected.labels[:, None] == labels) & (sides <= DISTANCE) & (gaps <= TOLERANCE)
    known, own = pairs.any(1), pairs.any(0)
    same = bool(known[shown].all() and own[exported_shown].all())
    same = same and int(shown.sum()) == int(exported_shown.sum())
    alone = int((~known).sum() + (~own).sum())
    differs = not same or alone > EDGE * (len(known) + len(own))
    return _Compared(
        same,
        differs,
        int(shown.sum()),
        len(known),
        float(np.where(pairs, gaps, np.inf).min(1, initial=np.inf)[known].max(initial=0)),
        float(np.where(pairs, sides, np.inf).min(1, initial=np.inf)[known].max(initial=0)),
    )


def _in_torch(detector: Detector) -> Callable[[U8], Any]:
    """The network in float32: uint8 RGB [H, W, 3] -> the outputs of the head."""
    import torch

    module = detector_module(detector)

    def run(pixels: U8) -> Any:
        with torch.inference_mode():
            found = module(torch.from_numpy(np.array(pixels[None])))
        return [one[0].numpy() for one in found]

    return run
