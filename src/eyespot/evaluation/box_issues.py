"""Label issues of boxes: annotations that held-out detections contradict.

After confident learning (Northcutt et al., JAIR 2021, section 3.1): a detection is confident if its
score is at least the mean score of the true positives of its class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eyespot.arrays import F32, F64, I64
from eyespot.evaluation.boxes import Detections, Truth, iou
from eyespot.evaluation.detection_errors import BACKGROUND, FOREGROUND
from eyespot.evaluation.detection_matches import ClassMatches, by_photo
from eyespot.evaluation.label_issues import SURE

Kind = Literal["missing", "misplaced", "wrong class", "spurious"]

WELL_PLACED = 0.6
"""IoU of a true box with the best detection of its class, from which its place is accepted."""


@dataclass(frozen=True, slots=True)
class BoxIssue:
    """A box of photo `photo` that may be wrong.

    `missing`: a confident detection on an object without a true box. `misplaced`: the best
    detection of a true box's class lies elsewhere. `wrong class`: a confident detection of another
    class lies on a true box. `spurious`: no detection is near a true box, and the recall of its
    class is SURE or more.

    `box` and `label` are those of the detection, the suggested correction; of a spurious box, its
    own. `truth`: the place of the box in the photo's Truth, None for a missing one. `confidence`:
    the score of the detection, calibrated if scores are; None for a spurious box, which has none.
    `recall`: of the class of a spurious box, None for others.
    """

    photo: int
    kind: Kind
    box: tuple[float, float, float, float]
    label: int
    truth: int | None
    confidence: float | None
    recall: float | None = None

    @property
    def strength(self) -> float:
        """The confidence or the recall, 0..1: a rank among issues."""
        return (self.recall if self.confidence is None else self.confidence) or 0.0


def find_box_issues(
    truths: Sequence[Truth], detections: Sequence[Detections], matches: Sequence[ClassMatches]
) -> list[BoxIssue]:
    """Label issues among boxes, the strongest first. The detections must be out of fold: a
    detector has seen the boxes that it was trained on. Ignored boxes have none."""
    confident, recall = np.full(len(matches), np.inf), np.zeros(len(matches))
    for label, one in enumerate(matches):
        hit = one.hit[0, 0]
        if hit.any():
            confident[label] = one.scores[hit].mean()
            recall[label] = hit.sum() / one.positives[0].sum()
    issues: list[BoxIssue] = []
    for photo, rows in enumerate(by_photo(matches, len(truths))):
        some, kept = detections[photo], rows[:, 0]
        found = Detections(some.boxes[kept], some.labels[kept], some.scores[kept])
        candidates = np.flatnonzero(found.scores >= confident[found.labels])
        candidates = candidates[np.argsort(-found.scores[candidates], kind="stable")]
        issues += _contradicted(photo, truths[photo], found, candidates, rows[:, 1])
        issues += _spurious(photo, truths[photo], found, recall)
    return sorted(issues, key=lambda issue: -issue.strength)


def _contradicted(
    photo: int, truth: Truth, found: Detections, candidates: I64, matched: I64
) -> list[BoxIssue]:
    """Issues that confident detections, the highest score first, point to; one per object."""
    # One more true box, which nothing overlaps, stands for none.
    overlap = np.pad(iou(found.boxes, truth.boxes) * ~truth.ignored, ((0, 0), (0, 1)))
    same = np.where(found.labels[:, None] == np.append(truth.labels, -1), overlap, 0)
    other, placed = overlap - same, same.max(axis=0, initial=0)
    issues: dict[int, BoxIssue] = {}  # by true box, or below 0 by object without one
    new: list[F32] = []
    for detection in candidates:
        box, score = found.boxes[detection], found.scores[detection]
        own, mistaken = int(same[detection].argmax()), int(other[detection].argmax())
        kind: Kind
        if matched[detection] < 0 and other[detection, mistaken] > FOREGROUND:
            if (found.scores[same[:, mistaken] >= FOREGROUND] >= score).any():
                continue  # the detector is more confident of the annotated class
            kind, place = "wrong class", mistaken
        elif same[detection, own] >= BACKGROUND and placed[own] < WELL_PLACED:
            kind, place = "misplaced", own
        elif same[detection, own] < FOREGROUND:
            if new and iou(box[None], np.stack(new)).max() >= FOREGROUND:
                continue
            new.append(box)
            kind, place = "missing", -len(new)
        else:
            continue
        truth_index = place if place >= 0 else None
        label = int(found.labels[detection])
        issue = BoxIssue(photo, kind, _corners(box), label, truth_index, float(score))
        issues.setdefault(place, issue)
    return list(issues.values())


def _spurious(photo: int, truth: Truth, found: Detections, recall: F64) -> list[BoxIssue]:
    """True boxes that no detection is near, of classes that the detector nearly always finds."""
    nearest = iou(truth.boxes, found.boxes).max(axis=1, initial=0)
    far = (nearest < BACKGROUND) & ~truth.ignored & (recall[truth.labels] >= SURE)
    return [
        BoxIssue(
            photo, "spurious", _corners(box), int(label), int(index), None, float(recall[label])
        )
        for index, box, label in zip(
            np.flatnonzero(far), truth.boxes[far], truth.labels[far], strict=True
        )
    ]


def _corners(box: F32) -> tuple[float, float, float, float]:
    xmin, ymin, xmax, ymax = box.tolist()
    return xmin, ymin, xmax, ymax
