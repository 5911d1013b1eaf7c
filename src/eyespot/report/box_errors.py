"""Errors of a detector on its photos, and likely errors of the annotation, with boxes drawn."""

from itertools import islice
from typing import Any

import numpy as np

from eyespot.arrays import F32, I64
from eyespot.evaluation.box_issues import BoxIssue
from eyespot.evaluation.detection_errors import (
    CLASSIFICATION,
    KINDS,
    MISSED,
    DetectionErrors,
    find_errors,
)
from eyespot.evaluation.detection_matches import THRESHOLDS, by_photo, match_detections
from eyespot.report.boxes import over_photo
from eyespot.shown import counted, percent
from eyespot.tasks.detection.figures import ERRORS
from eyespot.tasks.detection.result import DetectionResult

WORST, ISSUES = 12, 12
"""Photos with errors, and likely annotation errors, that are drawn."""
LISTED_ERRORS = 20
"""Errors of a photo that are numbered and listed."""
LISTED_ISSUES = 200
"""Likely annotation errors in the table of those that are not drawn."""
SUSPICIONS = {
    "missing": "an object without a box",
    "misplaced": "a box in the wrong place",
    "wrong class": "a box of the wrong class",
    "spurious": "a box without an object",
}


def worst_photos(result: DetectionResult) -> dict[str, Any]:
    """The photos with the most errors at the detector's score thresholds. `wrong`: the number of
    photos with an error. `photos`: some of them, each with its errors in words. `counts`: annotated
    and detected boxes of every photo."""
    truths, classes = result.truths, len(result.detector.classes)
    matches = match_detections(truths, result.detections, classes, THRESHOLDS[:1])
    thresholds = np.tile(result.detector.thresholds, (len(truths), 1))
    errors = find_errors(truths, result.detections, matches, thresholds)
    kept = by_photo(matches, len(truths), thresholds)
    counts = np.bincount(errors.photo, minlength=len(truths))
    order = np.argsort(-counts, kind="stable")
    wrong = order[counts[order] > 0].tolist()
    drawn = (_photo(result, index, kept[index], errors) for index in wrong)
    return {
        "wrong": len(wrong),
        "photos": [*islice(filter(None, drawn), WORST)],
        "counts": [
            (int((~truth.ignored).sum()), len(rows))
            for truth, rows in zip(truths, kept, strict=True)
        ],
    }


def _photo(
    result: DetectionResult, index: int, kept: I64, errors: DetectionErrors
) -> dict[str, Any] | None:
    """A photo with its errors; None if it can no longer be read. `kept`: [m, 2], the detections
    above the thresholds, and the true box of each or -1."""
    truth, found = result.truths[index], result.detections[index]
    mine = np.flatnonzero(errors.photo == index)
    missed = errors.kind[mine] == MISSED
    false = found.boxes[errors.detection[mine[~missed]]]
    unseen = errors.truth[mine[missed]]
    layers = {
        "annotated": np.delete(truth.boxes, unseen, axis=0),
        "correct": found.boxes[kept[kept[:, 1] >= 0, 0]],
        "false": false,
        "missed": truth.boxes[unseen],
    }
    numbered = np.concatenate([false, truth.boxes[unseen]])[:LISTED_ERRORS]
    drawn = over_photo(result.photos[index].photo, layers, numbered)
    return drawn and {
        **drawn,
        "name": result.photos[index].photo.name,
        "summary": f"{counted(len(mine), 'error')}; {len(kept):,} detected, "
        f"{int((~truth.ignored).sum()):,} annotated",
        "errors": [_error_words(result, errors, one) for one in mine[:LISTED_ERRORS].tolist()],
        "more": max(0, len(mine) - LISTED_ERRORS),
    }


def _error_words(result: DetectionResult, errors: DetectionErrors, index: int) -> str:
    """As in "wrong class: cat instead of dog, 83%"."""
    classes, kind = result.detector.classes, int(errors.kind[index])
    words = f"{ERRORS[KINDS[kind]]}: {classes[errors.label[index]]}"
    if kind == CLASSIFICATION:
        labels = result.truths[int(errors.photo[index])].labels
        words += f" instead of {classes[labels[errors.truth[index]]]}"
    return words if kind == MISSED else f"{words}, {percent(float(errors.score[index]))}"


def likely_errors(result: DetectionResult) -> dict[str, Any]:
    """Likely errors of the annotation, the clearest first: some as photos, the `rest` for a table,
    and how many `more` there are."""
    shown: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    for issue in result.issues:
        drawn = _issue_drawn(result, issue) if len(shown) < ISSUES else None
        words = _issue_words(result, issue)
        (shown if drawn else rest).append({**words, **(drawn or {})})
    return {
        "count": len(result.issues),
        "shown": shown,
        "rest": rest[:LISTED_ISSUES],
        "more": max(0, len(rest) - LISTED_ISSUES),
    }


def _issue_words(result: DetectionResult, issue: BoxIssue) -> dict[str, str]:
    classes = result.detector.classes
    label = classes[issue.label]
    if issue.confidence is not None:
        detector = f"predicted {label}, {percent(issue.confidence)}"
    else:
        detector = f"no detection, with a recall of {label} of {percent(issue.strength)}"
    words = {
        "name": result.photos[issue.photo].photo.name,
        "kind": SUSPICIONS[issue.kind],
        "detector": detector,
        "label": "none",
    }
    if issue.truth is not None:
        words["label"] = classes[result.truths[issue.photo].labels[issue.truth]]
    return words


def _issue_drawn(result: DetectionResult, issue: BoxIssue) -> dict[str, Any] | None:
    """The part of the photo around the box in question and the suggested one."""
    boxes = result.truths[issue.photo].boxes
    suggested = np.array([issue.box], np.float32)
    own = [] if issue.truth is None else [issue.truth]
    layers: dict[str, F32] = {"annotated": np.delete(boxes, own, axis=0), "question": boxes[own]}
    if issue.kind != "spurious":
        layers["correct"] = suggested
    around = np.concatenate([suggested, boxes[own]])
    return over_photo(result.photos[issue.photo].photo, layers, around=around)
