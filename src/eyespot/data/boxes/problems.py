"""Problems of boxes: one table of them, and a count that becomes findings."""

from collections import Counter
from typing import NamedTuple

from eyespot.data.finding import Finding, Severity
from eyespot.shown import counted, listed, shortened

NAMED = 3
"""Photos that a message names."""


class Problem(NamedTuple):
    """`text`: the end of a sentence that begins with a number of boxes or photos."""

    severity: Severity
    counts: str
    text: str
    advice: str = ""


PROBLEMS = {
    "clipped": Problem(
        "note", "box", "partly outside the photo, clipped to it", "Correct them if they are wrong."
    ),
    "outside": Problem("warning", "box", "wholly outside the photo, left out", "Correct them."),
    "empty": Problem("warning", "box", "without width or height, left out", "Draw them again."),
    "reversed": Problem(
        "warning",
        "box",
        "with xmax below xmin or ymax below ymin, left out",
        "Swap the coordinates if that gives the correct boxes.",
    ),
    "not numbers": Problem(
        "warning", "box", "with coordinates that are missing or not numbers, left out"
    ),
    "duplicated": Problem("note", "box", "repeated with the same label, kept once"),
    "two labels": Problem(
        "warning", "box", "repeated with another label, kept", "Delete the wrong ones."
    ),
    "tiny": Problem(
        "note",
        "box",
        "narrower than 1/160 of the photo's long side, kept",
        "A detector hardly finds objects of this size. Cut the photos into tiles if they matter.",
    ),
    "no label": Problem("warning", "box", "without a label, left out", "Label them."),
    "unknown class": Problem(
        "warning", "box", "with a class number that has no name, left out", "Add the class's name."
    ),
    "unknown photo": Problem(
        "warning", "box", "of photos that the file does not list, left out", "List the photos."
    ),
    "other shape": Problem(
        "warning", "shape", "other than boxes, left out", "Draw boxes around these objects."
    ),
    "bad line": Problem("warning", "line", "with another number of values, left out"),
    "polygon": Problem("note", "polygon", "read as the box around it"),
    "rotated": Problem("note", "rotated box", "read as the upright box around it"),
    "ignored": Problem("note", "box", "marked as difficult or as a crowd, not counted"),
    "background": Problem("note", "photo", "without boxes, kept as background"),
    "no file": Problem(
        "warning",
        "photo",
        "without a label file, kept as background, as YOLO does",
        "If they were forgotten, annotate them or remove them.",
    ),
    "not annotated": Problem(
        "warning",
        "photo",
        "without annotations, left out",
        "Annotate them. A photo of background needs annotations without boxes.",
    ),
    "not listed": Problem(
        "warning", "annotated photo", "in none of the lists of splits, left out", "List them."
    ),
    "two splits": Problem(
        "error",
        "photo",
        "listed in two splits, kept in the first of test, val, train",
        "Remove each from one list.",
    ),
    "found by name": Problem(
        "note", "photo", "found by the end of the annotated path", "Check that they are the ones."
    ),
    "another name": Problem(
        "warning", "photo", "whose annotation names another photo, paired by file name"
    ),
    "several annotators": Problem(
        "warning", "photo", "annotated several times; the first annotation was used"
    ),
    "turned": Problem(
        "note", "photo", "whose boxes were drawn before its EXIF rotation, turned with the photo"
    ),
    "turned perhaps": Problem(
        "warning",
        "photo",
        "with an EXIF orientation and no proof of how its boxes were drawn, read as upright",
        "Check one of them. If its boxes are wrong, remove the orientation from all.",
    ),
    "scaled": Problem(
        "warning", "photo", "of another size than annotated, boxes scaled to it", "Check one."
    ),
    "wrong size": Problem(
        "warning", "photo", "whose annotated size is wrong and was not used: boxes exceed it"
    ),
}
"""By the kind of their finding. docs/reference/boxes.md lists them."""

_PLURALS = {"box": "boxes", "rotated box": "rotated boxes"}


class Problems:
    """Collects the photos of each problem while annotations are read."""

    def __init__(self) -> None:
        self._photos: dict[str, Counter[str]] = {}

    def add(self, kind: str, photo: str, number: int = 1) -> None:
        """Count `number` boxes (or 1 photo) of a kind of PROBLEMS in a photo."""
        if number:
            self._photos.setdefault(kind, Counter())[photo] += number

    def findings(self) -> list[Finding]:
        """One finding for each problem that occurred, in the order of PROBLEMS."""
        return [
            _finding(kind, problem, self._photos[kind])
            for kind, problem in PROBLEMS.items()
            if kind in self._photos
        ]


def _finding(kind: str, problem: Problem, photos: Counter[str]) -> Finding:
    noun = problem.counts
    number = counted(photos.total(), noun, _PLURALS.get(noun, ""))
    named = shortened(list(photos), NAMED) if len(photos) > NAMED else listed(photos)
    message = f"{number} {problem.text}: {named}."
    return Finding(kind, problem.severity, message, problem.advice, tuple(photos))
