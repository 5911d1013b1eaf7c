"""Evaluations of detectors as `teach` and `evaluate` print them."""

from math import isnan
from typing import TYPE_CHECKING

from eyespot.evaluation.metrics import Interval
from eyespot.shown import counted, percent, percent_interval
from eyespot.tasks.detection.method import method_called
from eyespot.tasks.figures import Figures, Section

if TYPE_CHECKING:
    from eyespot.evaluation.detection_metrics import DetectionClassScore, DetectionEvaluation
    from eyespot.tasks.detection.result import DetectionResult, DetectionTeachResult

CLASSES = 20
"""Classes whose metrics are printed without --verbose."""
ISSUES = 10
"""Likely errors of the annotation that are printed."""
ERRORS = {
    "classification": "wrong class",
    "localization": "wrong place",
    "both": "wrong class and place",
    "duplicate": "found twice",
    "background": "nothing there",
    "missed": "missed",
}
"""The kinds of errors (TIDE) in words."""


def taught_figures(result: "DetectionTeachResult", *, verbose: bool) -> Figures:
    """The figures of a new detector; `verbose`: every class and likely annotation error, too."""
    rows = [
        ("Photos", _photos(result, result.trained)),
        *_metric_rows(result.evaluation, result.evaluated_on),
        ("Method", _method(result)),
        ("Review", _review(result)),
        (
            "Time",
            f"{result.seconds['total']:.1f} s, {result.seconds['train']:.1f} s of it training",
        ),
    ]
    sections = _classes(result.evaluation, verbose=verbose)
    if verbose:
        sections.append(Section("Likely errors of the annotation", _issues(result)))
    return Figures(rows, sections, result.findings)


def evaluated_figures(result: "DetectionResult", *, verbose: bool) -> Figures:
    """The figures of a detector on annotated photos."""
    warning = ""
    if result.known:
        known = counted(len(result.known), "photo")
        warning = f"the detector was trained on {known} of these; the figures are inflated."
    rows = [
        ("Photos", _photos(result, len(result.photos))),
        *_metric_rows(result.evaluation, result.evaluated_on),
    ]
    return Figures(rows, _classes(result.evaluation, verbose=verbose), result.findings, warning)


def share(value: float, interval: Interval) -> str:
    """A share with its 95% CI; "not measured" where it is NaN."""
    if isnan(value):
        return "not measured"
    return percent(value) + ("" if isnan(interval[0]) else f"  95% CI {percent_interval(interval)}")


def _photos(result: "DetectionResult", count: int) -> str:
    boxes = sum(len(photo.labels) for photo in result.photos)
    skipped = f" ({len(result.skipped):,} skipped)" if result.skipped else ""
    classes = counted(len(result.detector.classes), "class", "classes")
    return f"{count:,} with {classes}{skipped}; evaluated on {boxes:,} boxes"


def _metric_rows(evaluation: "DetectionEvaluation", measured_on: str) -> list[tuple[str, str]]:
    precision, counts = evaluation.average_precision, evaluation.at_threshold
    rows = [
        (
            "AP50",
            f"{share(precision.ap50, precision.ap50_interval)}, "
            f"n = {counted(evaluation.count)}, {measured_on}",
        ),
        ("AP", f"{share(precision.ap, precision.ap_interval)}, IoU 0.50 to 0.95"),
        (
            "Shown",
            f"precision {share(counts.precision, counts.precision_interval)}, "
            f"recall {share(counts.recall, counts.recall_interval)}",
        ),
        ("Counts", _count_error(evaluation)),
        ("Errors", _errors(evaluation)),
    ]
    return [(label, text) for label, text in rows if text]


def _count_error(evaluation: "DetectionEvaluation") -> str:
    counts = evaluation.at_threshold
    if isnan(counts.count_mae):
        return ""
    low, high = counts.count_mae_interval
    between = "" if isnan(low) else f" (95% CI {low:.2f}–{high:.2f})"
    return f"off by {counts.count_mae:.2f}{between} per photo of {counts.count_mean:.1f} on average"


def _errors(evaluation: "DetectionEvaluation") -> str:
    found = [(one.count, ERRORS[one.kind]) for one in evaluation.errors if one.kind in ERRORS]
    found = sorted((one for one in found if one[0]), reverse=True)
    return ", ".join(f"{count:,} {words}" for count, words in found)


def _method(result: "DetectionTeachResult") -> str:
    """As in "... (selected by AP in cross-validation: dense 52.1%, fast-rcnn 48.2%)"."""
    detector = result.detector
    words = f"{method_called(detector.method).WORDS} of {detector.backbone.name}"
    if not result.candidates:
        return words
    compared = ", ".join(f"{one.method} {percent(one.ap)}" for one in result.candidates)
    return f"{words} (selected by AP in cross-validation: {compared})"


def _review(result: "DetectionTeachResult") -> str:
    near = sum(len(group) - 1 for group in result.duplicates.near)
    parts = []
    if result.issues:
        parts.append(f"{counted(len(result.issues), 'box', 'boxes')} may be wrong or missing")
    if near:
        parts.append(counted(near, "near-duplicate"))
    return ", ".join(parts)


def _classes(evaluation: "DetectionEvaluation", *, verbose: bool) -> list[Section]:
    scores = evaluation.per_class
    if not verbose and len(scores) > CLASSES:
        return []
    bars = [
        (one.name, one.average_precision.ap50, _class_words(one))
        for one in scores
        if not isnan(one.average_precision.ap50)
    ]
    return [Section("AP50 by class", bars=bars)]


def _class_words(score: "DetectionClassScore") -> str:
    counts = score.at_threshold
    per_photo = f"{counts.count_mae:.2f} of {counts.count_mean:.1f}"
    return f"  {score.support:,} boxes, counts per photo off by {per_photo}"


def _issues(result: "DetectionTeachResult") -> list[str]:
    classes = result.detector.classes
    return [
        f"  {result.photos[one.photo].photo.name}: {one.kind}, {classes[one.label]} at "
        f"({one.box[0]:.0f}, {one.box[1]:.0f})"
        for one in result.issues[:ISSUES]
    ]
