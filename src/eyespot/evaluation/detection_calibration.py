"""Calibrate the scores of detections: the probability that a detection is correct at IoU 0.5.

Küppers, Kronenberger, Shantia, Haselhoff, "Multivariate Confidence Calibration for Object
Detection", CVPR Workshops 2020, section 3.3, with the score as the only feature: logistic
calibration of its log-odds (Platt 1999). Isotonic regression needs more held-out detections than
20 photos give, and makes scores equal, which changes AP; the logistic function keeps their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F64, I64, Bools, Floats
from eyespot.evaluation.boxes import Detections
from eyespot.evaluation.detection_matches import ClassMatches
from eyespot.heads.calibration import COLDEST, HOTTEST

LEAST = 30
"""True, and false, positives of a class with a calibration of its own; other classes share one."""
TINY = 1e-6
"""Scores are at least so far from 0 and 1, where log-odds are infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCalibration:
    """probability = sigmoid(slope × log-odds of the score + offset), by class: float64 [K] each.
    Slopes are positive."""

    slopes: F64
    offsets: F64

    def probabilities(self, scores: Floats, labels: I64) -> F64:
        """Calibrated scores [m] of detections of classes `labels` [m]: float64, 0..1."""
        return _sigmoid(self.slopes[labels] * _log_odds(scores) + self.offsets[labels])


def calibrate(calibration: ScoreCalibration, detections: Detections) -> Detections:
    """The detections with calibrated scores; within a class, their order stays."""
    scores = calibration.probabilities(detections.scores, detections.labels)
    return Detections(detections.boxes, detections.labels, scores.astype(np.float32))


def fit_calibration(matches: Sequence[ClassMatches]) -> ScoreCalibration:
    """The calibration that minimises the log loss on held-out detections.

    A class with fewer than LEAST true or false positives uses the calibration of all classes
    together. Without any detection the scores stay.
    """
    counted = [~one.ignored[0, 0] for one in matches]
    scores = [one.scores[kept] for one, kept in zip(matches, counted, strict=True)]
    hits = [one.hit[0, 0, kept] for one, kept in zip(matches, counted, strict=True)]
    shared = _fit(
        np.concatenate([np.zeros(0), *scores]), np.concatenate([np.zeros(0, bool), *hits])
    )
    fitted = [
        _fit(some, hit) if LEAST <= hit.sum() <= len(hit) - LEAST else shared
        for some, hit in zip(scores, hits, strict=True)
    ]
    slopes, offsets = np.array(fitted, np.float64).reshape(-1, 2).T
    return ScoreCalibration(slopes, offsets)


def _fit(scores: F64, hit: Bools) -> tuple[float, float]:
    """Slope and offset from scores [m] and whether each is a true positive [m]. Targets are
    smoothed (Platt 1999, section 2.2): a handful of detections does not prove certainty."""
    if not len(scores):
        return 1.0, 0.0
    from scipy.optimize import minimize  # only training needs it

    x, right = _log_odds(scores), int(hit.sum())
    target = np.where(hit, (right + 1) / (right + 2), 1 / (len(hit) - right + 2))

    def loss(at: F64) -> tuple[float, F64]:
        """Mean log loss of (slope, offset), and its gradient."""
        z = at[0] * x + at[1]
        error = _sigmoid(z) - target
        return float((np.logaddexp(0, z) - target * z).mean()), np.array(
            [(error * x).mean(), error.mean()]
        )

    bounds = [(COLDEST, HOTTEST), (None, None)]
    slope, offset = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(slope), float(offset)


def _log_odds(scores: Floats) -> F64:
    inside = np.clip(scores.astype(np.float64), TINY, 1 - TINY)
    return np.asarray(np.log(inside / (1 - inside)))


def _sigmoid(z: F64) -> F64:
    return np.asarray(np.exp(-np.logaddexp(0, -z)))
