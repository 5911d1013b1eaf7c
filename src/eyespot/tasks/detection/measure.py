"""Measure: from held-out detections to calibrated scores, thresholds, metrics and likely errors of
the annotation."""

from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.arrays import F64, I64
from eyespot.evaluation.box_issues import BoxIssue, find_box_issues
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_calibration import (
    ScoreCalibration,
    calibrate,
    fit_calibration,
)
from eyespot.evaluation.detection_matches import match_detections
from eyespot.evaluation.detection_metrics import DetectionEvaluation, evaluate_detections
from eyespot.evaluation.score_thresholds import select_thresholds


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """`calibration`, `thresholds`: of the detector, by all held-out photos. `detections`: with
    calibrated scores. `evaluation`: with calibrations and thresholds of other photos each."""

    calibration: ScoreCalibration
    thresholds: F64
    detections: tuple[Detections, ...]
    evaluation: DetectionEvaluation
    issues: tuple[BoxIssue, ...]


def measure(
    truths: Sequence[Truth],
    detections: Sequence[Detections],
    classes: Sequence[str],
    groups: I64,
) -> Measured:
    """`groups`: of near-duplicates among the photos, which are resampled together."""
    count = len(classes)
    calibration = fit_calibration(match_detections(truths, detections, count))
    calibrated = [calibrate(calibration, one) for one in detections]
    matches = match_detections(truths, calibrated, count)
    evaluation = evaluate_detections(
        truths,
        _held_out_calibrated(truths, detections, count),
        count,
        names=classes,
        groups=groups,
    )
    return Measured(
        calibration,
        select_thresholds(matches),
        tuple(calibrated),
        evaluation,
        tuple(find_box_issues(truths, calibrated, matches)),
    )


def _held_out_calibrated(
    truths: Sequence[Truth], detections: Sequence[Detections], classes: int
) -> list[Detections]:
    """Each half of the photos calibrated by the other, so that the calibration error is honest."""
    found = list(detections)
    for half in range(min(2, len(truths))):
        other = range(1 - half, len(truths), 2)
        matches = match_detections(
            [truths[one] for one in other], [detections[one] for one in other], classes
        )
        calibration = fit_calibration(matches)
        for one in range(half, len(truths), 2):
            found[one] = calibrate(calibration, detections[one])
    return found
