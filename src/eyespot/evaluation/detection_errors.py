"""Kinds of error of a detector, and the AP that each costs.

Bolya, Foley, Hays, Hoffman, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV
2020, sections 2.2 (kinds) and 2.3 (the AP gained by fixing one kind).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F64, I64, Bools
from eyespot.evaluation.average_precision import ap_of_ranking
from eyespot.evaluation.boxes import Detections, Truth, iou
from eyespot.evaluation.detection_matches import ClassMatches, by_photo

FOREGROUND, BACKGROUND = 0.5, 0.1
"""IoU from which a detection is on an object, and up to which it is on none."""
KINDS = ("classification", "localization", "both", "duplicate", "background", "missed")
CLASSIFICATION, LOCALIZATION, BOTH, DUPLICATE, NOTHING, MISSED = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class DetectionErrors:
    """E errors, one a row: false positives, then missed objects.

    `kind`: [E], index of KINDS. `photo`: int64 [E]. `detection`, `truth`: int64 [E], places
    in the photo's Detections and Truth, or -1: a missed object has no detection, `both` and
    `background` have no true box. `label`: int64 [E], of the detection, or of the missed object.
    `score`: float64 [E], NaN for a missed object.
    """

    kind: I64
    photo: I64
    detection: I64
    truth: I64
    label: I64
    score: F64

    def counts(self) -> dict[str, int]:
        """The number of errors of each kind."""
        numbers = np.bincount(self.kind, minlength=len(KINDS))
        return dict(zip(KINDS, numbers.tolist(), strict=True))


def find_errors(
    truths: Sequence[Truth],
    detections: Sequence[Detections],
    matches: Sequence[ClassMatches],
    thresholds: F64 | None = None,
) -> DetectionErrors:
    """The errors at IoU 0.5 of the detections in `matches`, of those with a score of at least
    `thresholds` [P, K] (default: all). Ignored boxes and detections on them are no errors."""
    tables, scores = [np.zeros((0, 5), np.int64)], [np.zeros(0)]
    ranked = by_photo(matches, len(truths), thresholds)
    for photo, (truth, found, rows) in enumerate(zip(truths, detections, ranked, strict=True)):
        errors = _errors_of_photo(photo, truth, found, rows)
        wrong = errors[errors[:, 0] != MISSED, 2]
        tables.append(errors)
        scores.append(np.append(found.scores[wrong], np.full(len(errors) - len(wrong), np.nan)))
    table = np.concatenate(tables)
    order = np.argsort(table[:, 0] == MISSED, kind="stable")
    kind, of_photo, detection, true, label = table[order].T
    return DetectionErrors(kind, of_photo, detection, true, label, np.concatenate(scores)[order])


def _errors_of_photo(photo: int, truth: Truth, found: Detections, ranked: I64) -> I64:
    """Rows of kind, photo, detection, true box and label."""
    wrong = ranked[ranked[:, 1] < 0, 0]
    labels, true = found.labels[wrong], np.flatnonzero(~truth.ignored)
    overlap = iou(found.boxes[wrong], truth.boxes[true])
    own = labels[:, None] == truth.labels[true]
    kind, best = _kinds(overlap, own)
    box = np.where(best >= 0, np.append(true, -1)[best], -1)
    errors = np.stack([kind, np.full(len(wrong), photo), wrong, box, labels], axis=1)
    correctable = box[kind <= LOCALIZATION]
    missed = np.setdiff1d(true, np.union1d(correctable, ranked[:, 1]))
    rows = [[MISSED, photo, -1, index, truth.labels[index]] for index in missed]
    return np.concatenate([errors, np.array(rows, np.int64).reshape(-1, 5)])


def _kinds(overlap: F64, own: Bools) -> tuple[I64, I64]:
    """Kind of each false positive [m], and the true box it is about [m], or -1, from its IoU with
    all true boxes [m, n] and whether they are of its class. The first kind that fits, in the order
    of the authors' program."""
    if not overlap.shape[1]:
        return np.full(len(overlap), NOTHING), np.full(len(overlap), -1)
    same, other = np.where(own, overlap, 0), np.where(own, 0, overlap)
    best, best_other = same.max(axis=1), other.max(axis=1)
    kind = np.select(
        [
            (best >= BACKGROUND) & (best <= FOREGROUND),
            best_other >= FOREGROUND,
            best >= FOREGROUND,
            overlap.max(axis=1) <= BACKGROUND,
        ],
        [LOCALIZATION, CLASSIFICATION, DUPLICATE, NOTHING],
        BOTH,
    )
    place = np.where(kind == CLASSIFICATION, other.argmax(axis=1), same.argmax(axis=1))
    return kind, np.where((kind == BOTH) | (kind == NOTHING), -1, place)


def ap50_gains(
    truths: Sequence[Truth], matches: Sequence[ClassMatches], errors: DetectionErrors
) -> dict[str, float]:
    """The gain in AP50, 0..1, if all errors of one kind were fixed, for each of KINDS, and for all
    false positives and all false negatives; NaN without a true box.

    A wrong class or place is fixed by making the detection a true positive, if it is the best one
    for an object that no other detection found; else it is removed, as all other false positives
    are. Missed objects are no longer expected. Gains do not add up to 1 - AP50. `errors` must be
    those of all detections in `matches`.
    """
    labels = [label for label, one in enumerate(matches) if one.positives[0].any()]
    right = [one.scores[one.hit[0, 0]] for one in matches]
    positives = [int(one.positives[0].sum()) for one in matches]
    corrected, to = _corrected(truths, matches, errors)

    def mean_ap(without: Bools, gained: Bools, expected: Sequence[int]) -> float:
        """AP50 without some errors [E], and with some corrected ones [E] as true positives."""
        wrong = ~without & (errors.kind != MISSED)
        return float(
            np.mean(
                [
                    _ap50(
                        np.append(right[label], errors.score[gained & (to == label)]),
                        errors.score[wrong & (errors.label == label)],
                        expected[label],
                    )
                    for label in labels
                ]
            )
        )

    if not labels:
        return dict.fromkeys([*KINDS, "false_positives", "false_negatives"], float("nan"))
    none = np.zeros(len(errors.kind), bool)
    base = mean_ap(none, none, positives)
    gains = {}
    for number, kind in enumerate(KINDS):
        fixed = errors.kind == number
        missed = np.bincount(errors.label[fixed & (errors.kind == MISSED)], minlength=len(matches))
        expected = [count - int(fewer) for count, fewer in zip(positives, missed, strict=True)]
        gains[kind] = mean_ap(fixed, fixed & corrected, expected) - base
    gains["false_positives"] = mean_ap(~none, none, positives) - base
    gains["false_negatives"] = mean_ap(none, none, [len(scores) for scores in right]) - base
    return gains


def _corrected(
    truths: Sequence[Truth], matches: Sequence[ClassMatches], errors: DetectionErrors
) -> tuple[Bools, I64]:
    """Whether an error [E], fixed, is a true positive: the best for an object that was not found,
    among wrong classes and places together, as in the authors' program; and the class of that
    object [E], -1 without one."""
    found = {
        pair
        for one in matches
        for pair in zip(one.photo[one.hit[0, 0]], one.truth[one.hit[0, 0]], strict=True)
    }
    corrected, to = np.zeros(len(errors.kind), bool), np.full(len(errors.kind), -1)
    fixable = np.flatnonzero(errors.kind <= LOCALIZATION)
    for row in fixable[np.argsort(-errors.score[fixable], kind="stable")]:
        pair = (errors.photo[row], errors.truth[row])
        to[row] = truths[pair[0]].labels[pair[1]]
        corrected[row] = pair not in found
        found.add(pair)
    return corrected, to


def _ap50(right: F64, wrong: F64, positives: int) -> float:
    """AP of true and false positives by their scores; 0 if nothing is expected any more."""
    if positives == 0:
        return 0.0
    order = np.argsort(-np.append(right, wrong), kind="stable")
    return ap_of_ranking(order < len(right), positives)
