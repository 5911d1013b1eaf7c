"""Judging: metrics with intervals, cross-validation, rejection, learning curves. Arrays only."""

from eyespot.evaluation.intervals import wilson_interval
from eyespot.evaluation.label_issues import Suspicion, suspicious_labels
from eyespot.evaluation.learning_curve import LearningCurve, learning_curve
from eyespot.evaluation.metrics import ClassScore, Evaluation, ReliabilityBin, evaluate, mistakes
from eyespot.evaluation.percent import percent, percent_interval
from eyespot.evaluation.rejection import Rejection, fit_rejection
from eyespot.evaluation.verdict import advice, confused_pairs, verdict

__all__ = [
    "ClassScore",
    "Evaluation",
    "LearningCurve",
    "Rejection",
    "ReliabilityBin",
    "Suspicion",
    "advice",
    "confused_pairs",
    "evaluate",
    "fit_rejection",
    "learning_curve",
    "mistakes",
    "percent",
    "percent_interval",
    "suspicious_labels",
    "verdict",
    "wilson_interval",
]
