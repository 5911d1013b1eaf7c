"""Metrics with 95% CI, cross-validation, OOD rejection, learning curves: over arrays only.

Detection reads downwards: `boxes` (IoU, matching of one photo) -> `detection_matches` (all photos)
-> `average_precision`, `score_thresholds`, `counts`, `detection_errors`, `detection_calibration`,
`box_issues` -> `detection_metrics` (`evaluate_detections`, with intervals by `bootstrap`).
"""

from eyespot.evaluation.box_issues import BoxIssue, find_box_issues
from eyespot.evaluation.boxes import Detections, Truth, iou
from eyespot.evaluation.detection_calibration import ScoreCalibration, calibrate, fit_calibration
from eyespot.evaluation.detection_errors import DetectionErrors, find_errors
from eyespot.evaluation.detection_matches import match_detections
from eyespot.evaluation.detection_metrics import DetectionEvaluation, evaluate_detections
from eyespot.evaluation.intervals import wilson_interval
from eyespot.evaluation.label_issues import LabelIssue, find_label_issues
from eyespot.evaluation.learning_curve import LearningCurve, learning_curve
from eyespot.evaluation.metrics import ClassScore, Evaluation, ReliabilityBin, evaluate, mistakes
from eyespot.evaluation.rejection import Rejection, fit_rejection, measure_rejection
from eyespot.evaluation.score_thresholds import select_thresholds
from eyespot.evaluation.verdict import advice, confused_pairs, too_early, verdict
from eyespot.shown import percent, percent_interval

__all__ = [
    "BoxIssue",
    "ClassScore",
    "DetectionErrors",
    "DetectionEvaluation",
    "Detections",
    "Evaluation",
    "LabelIssue",
    "LearningCurve",
    "Rejection",
    "ReliabilityBin",
    "ScoreCalibration",
    "Truth",
    "advice",
    "calibrate",
    "confused_pairs",
    "evaluate",
    "evaluate_detections",
    "find_box_issues",
    "find_errors",
    "find_label_issues",
    "fit_calibration",
    "fit_rejection",
    "iou",
    "learning_curve",
    "match_detections",
    "measure_rejection",
    "mistakes",
    "percent",
    "percent_interval",
    "select_thresholds",
    "too_early",
    "verdict",
    "wilson_interval",
]
