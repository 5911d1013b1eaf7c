"""Metrics with 95% CI, cross-validation, OOD rejection, learning curves: over arrays only."""

from eyespot.evaluation.intervals import wilson_interval
from eyespot.evaluation.label_issues import LabelIssue, find_label_issues
from eyespot.evaluation.learning_curve import LearningCurve, learning_curve
from eyespot.evaluation.metrics import ClassScore, Evaluation, ReliabilityBin, evaluate, mistakes
from eyespot.evaluation.rejection import Rejection, fit_rejection, measure_rejection
from eyespot.evaluation.verdict import advice, confused_pairs, too_early, verdict
from eyespot.shown import percent, percent_interval

__all__ = [
    "ClassScore",
    "Evaluation",
    "LabelIssue",
    "LearningCurve",
    "Rejection",
    "ReliabilityBin",
    "advice",
    "confused_pairs",
    "evaluate",
    "find_label_issues",
    "fit_rejection",
    "learning_curve",
    "measure_rejection",
    "mistakes",
    "percent",
    "percent_interval",
    "too_early",
    "verdict",
    "wilson_interval",
]
