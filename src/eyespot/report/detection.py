"""The report about a detector: from the result of teaching or evaluating to the page."""

from math import isnan
from typing import Any

import numpy as np

from eyespot.evaluation.counts import AtThreshold
from eyespot.evaluation.detection_metrics import (
    AveragePrecision,
    DetectionClassScore,
    DetectionEvaluation,
)
from eyespot.evaluation.metrics import Interval
from eyespot.report.box_errors import likely_errors, worst_photos
from eyespot.report.chart import Chart, chart
from eyespot.report.html import fill
from eyespot.report.photos import common_facts
from eyespot.shown import counted, percent, percent_interval
from eyespot.tasks.detection.figures import ERRORS
from eyespot.tasks.detection.method import method_called
from eyespot.tasks.detection.result import DetectionResult, DetectionTeachResult

NOT_MEASURED = "not measured"
MOST_CLASSES = 200
"""Rows of the table by class."""
CURVES = 12
"""Classes with a precision-recall curve."""
GRID = 200
"""Places along an axis of the counts: dots on the same place are drawn once."""
MEANINGS = {
    "classification": "A detection lies on an object of another class.",
    "localization": "A detection is near an object of its class, at an IoU of 0.1 to 0.5.",
    "both": "A detection is near an object of another class.",
    "duplicate": "The object already has a detection of a higher score.",
    "background": "A detection is on no object.",
    "missed": "An object has no detection, not even of the wrong class or in the wrong place.",
}


def render(result: DetectionResult) -> str:
    """The page as HTML."""
    return fill("detection.html", **contents(result))


def contents(result: DetectionResult) -> dict[str, Any]:
    """The values of the template, plain ones."""
    evaluation = result.evaluation
    precision = evaluation.average_precision
    drawn = [score for score in evaluation.per_class if not isnan(score.average_precision.ap50)]
    drawn.sort(key=lambda score: score.average_precision.ap50)
    worst = worst_photos(result)
    return {
        "classes": evaluation.classes,
        "evaluation": evaluation,
        "ap50": _share(precision.ap50),
        "verdict": _verdict(evaluation, result.evaluated_on),
        "tiles": _tiles(precision, evaluation.at_threshold),
        "known": len(result.known),
        "findings": result.findings,
        "near_duplicates": _near_duplicates(result),
        "cross_validated": "cross-validation" in result.evaluated_on,
        "issues": likely_errors(result),
        "skipped": result.skipped,
        "per_class": [_class_row(score) for score in evaluation.per_class[:MOST_CLASSES]],
        "more_classes": max(0, len(evaluation.classes) - MOST_CLASSES),
        "curves": [_curve(number, score) for number, score in enumerate(drawn[:CURVES])],
        "curves_left_out": max(0, len(drawn) - CURVES),
        "errors": _errors(evaluation),
        "costliest": _costliest(evaluation),
        "counts": _counts(worst["counts"]),
        "count_error": _count_error(evaluation.at_threshold),
        "worst": worst,
        "facts": _facts(result),
    }


def _share(value: float, interval: Interval | None = None) -> str:
    """As in "91.2% (88.0–93.9%)"."""
    if isnan(value):
        return NOT_MEASURED
    known = interval is not None and not isnan(interval[0])
    return percent(value) + (f" ({percent_interval(interval)})" if interval and known else "")


def _verdict(evaluation: DetectionEvaluation, photos: str) -> str:
    """One or two sentences: AP50 on `photos`, and the class with the lowest."""
    precision = evaluation.average_precision
    size = f"n = {counted(evaluation.count)} with {counted(evaluation.support, 'box', 'boxes')}"
    if isnan(precision.ap50):
        return f"AP50 was not measured on {photos}: none of their boxes counts ({size})."
    interval = precision.ap50_interval
    between = "" if isnan(interval[0]) else f"95% CI {percent_interval(interval)}, "
    words = f"AP50 {percent(precision.ap50)} on {photos} ({between}{size})."
    scores = [one for one in evaluation.per_class if not isnan(one.average_precision.ap50)]
    if len(scores) > 1:
        weakest = min(scores, key=lambda one: one.average_precision.ap50)
        words += f" Lowest AP50: {weakest.name}, {percent(weakest.average_precision.ap50)}."
    return words


def _tiles(precision: AveragePrecision, counts: AtThreshold) -> list[tuple[str, str, str]]:
    """Metrics of all classes together: term, value and 95% CI, "" where there is none."""
    sizes = (precision.ap_small, precision.ap_medium, precision.ap_large)
    measured = [
        ("AP50 (IoU 0.5)", precision.ap50, precision.ap50_interval),
        ("AP75 (IoU 0.75)", precision.ap75, precision.ap75_interval),
        ("AP (IoU 0.50 to 0.95)", precision.ap, precision.ap_interval),
        ("Precision", counts.precision, counts.precision_interval),
        ("Recall", counts.recall, counts.recall_interval),
    ]
    by_size = zip(("small", "medium", "large"), sizes, strict=True)
    return [
        *(
            (term, _share(value), "" if isnan(interval[0]) else percent_interval(interval))
            for term, value, interval in measured
        ),
        *((f"AP of {name} objects", _share(value), "") for name, value in by_size),
        ("Count per photo", _count_error(counts), ""),
    ]


def _count_error(counts: AtThreshold) -> str:
    if isnan(counts.count_mae):
        return NOT_MEASURED
    return f"off by {counts.count_mae:.2f} of {counts.count_mean:.1f}"


def _near_duplicates(result: DetectionResult) -> int:
    if not isinstance(result, DetectionTeachResult):
        return 0
    return sum(len(group) - 1 for group in result.duplicates.near)


def _class_row(score: DetectionClassScore) -> dict[str, Any]:
    precision, counts = score.average_precision, score.at_threshold
    low, high = precision.ap50_interval
    ap50 = precision.ap50
    return {
        "name": score.name,
        "support": score.support,
        # The bar; an unknown interval has no width.
        "bar": None if isnan(ap50) else (ap50, *((ap50, ap50) if isnan(low) else (low, high))),
        "ap50": _share(ap50, precision.ap50_interval),
        "ap": _share(precision.ap),
        "precision": _share(counts.precision),
        "recall": _share(counts.recall),
        "threshold": _share(score.score_threshold),
        "counts": _count_error(counts),
    }


def _curve(number: int, score: DetectionClassScore) -> dict[str, Any]:
    """The precision-recall curve of a class, with the place of its score threshold."""
    curve = score.curve
    reached = [
        value if not isnan(at) else None
        for value, at in zip(curve.precision.tolist(), curve.scores.tolist(), strict=True)
    ]
    recalls = (100 * curve.recall).tolist()
    above = np.flatnonzero(curve.scores >= score.score_threshold)
    mark = None
    if len(above):
        mark = recalls[int(above[-1])], f"score threshold {percent(score.score_threshold)}"
    drawn: Chart = chart(
        f"curve-{number}",
        f"Precision by recall of {score.name}",
        "recall in %",
        recalls,
        {("precision at IoU 0.5", "validation"): reached},
        from_zero=True,
        to_one=True,
        number=lambda share: f"{100 * share:.3g}%",
        mark=mark,
    )
    return {"name": score.name, "ap50": _share(score.average_precision.ap50), "chart": drawn}


def _costliest(evaluation: DetectionEvaluation) -> str:
    """The kind of errors that costs most AP50; empty where none does."""
    kinds = [one for one in evaluation.errors if one.kind in ERRORS and one.ap50_gain > 0]
    return ERRORS[max(kinds, key=lambda one: one.ap50_gain).kind] if kinds else ""


def _errors(evaluation: DetectionEvaluation) -> list[dict[str, Any]]:
    """The kinds of errors, the most costly first."""
    found = [one for one in evaluation.errors if one.kind in ERRORS]
    most = max([1, *(one.count for one in found)])
    found.sort(key=lambda one: (isnan(one.ap50_gain), -one.ap50_gain, -one.count))
    return [
        {
            "kind": ERRORS[one.kind],
            "meaning": MEANINGS[one.kind],
            "count": one.count,
            "share": one.count / most,
            "gain": NOT_MEASURED if isnan(one.ap50_gain) else f"{100 * one.ap50_gain:.1f} points",
        }
        for one in found
    ]


def _counts(pairs: list[tuple[int, int]]) -> dict[str, Any]:
    """Detected by annotated boxes: a dot for each photo, in a square of 100 × 100."""
    most = max([1, *(count for pair in pairs for count in pair)])
    places = {(round(GRID * x / most), round(GRID * y / most)) for x, y in pairs}
    dots = "".join(f"M{100 * x / GRID:g} {100 - 100 * y / GRID:g}h0" for x, y in sorted(places))
    return {"dots": dots, "most": most}


def _facts(result: DetectionResult) -> list[tuple[str, str]]:
    detector = result.detector
    facts = common_facts(len(result.photos), len(result.skipped), detector.backbone, result.seconds)
    facts += [
        ("Evaluated on", result.evaluated_on),
        ("Method", f"{method_called(detector.method).WORDS}, {detector.width} channels"),
    ]
    if isinstance(result, DetectionTeachResult):
        facts.append(("Training photos", f"{result.trained:,}"))
    return facts
