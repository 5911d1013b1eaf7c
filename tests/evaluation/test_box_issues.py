"""Label issues of boxes: each kind by hand, and planted ones among random photos."""

import numpy as np
import pytest

from eyespot.evaluation.box_issues import BoxIssue, find_box_issues
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_matches import match_detections
from tests.evaluation.boxes_for_tests import found, truth

BOX, FAR = [0, 0, 10, 10], [50, 50, 60, 60]


def issues_of(true: Truth, detected: Detections) -> list[BoxIssue]:
    """Issues of a photo, beside four without an issue: a score of 0.75 is confident."""
    usual = truth([BOX, FAR], [0, 1])
    truths = [true, *[usual] * 4]
    detections = [detected, *[found([BOX, FAR], [0.5, 0.5], [0, 1])] * 4]
    return find_box_issues(truths, detections, match_detections(truths, detections, 2))


def test_a_missing_box() -> None:
    (issue,) = issues_of(truth([BOX]), found([BOX, FAR], [0.5, 0.75]))
    assert issue == BoxIssue(0, "missing", (50, 50, 60, 60), 0, None, 0.75)


def test_two_detections_of_one_missing_box_are_one_issue() -> None:
    (issue,) = issues_of(truth([]), found([FAR, [50, 50, 60, 59]], [0.75, 0.875], [0, 1]))
    assert (issue.label, issue.confidence) == (1, 0.875)


def test_a_misplaced_box() -> None:
    (issue,) = issues_of(truth([BOX]), found([[0, 0, 10, 4]], [0.75]))
    assert issue == BoxIssue(0, "misplaced", (0, 0, 10, 4), 0, 0, 0.75)
    (issue,) = issues_of(truth([BOX]), found([[0, 0, 10, 5.5]], [0.75]))  # a hit, but a poor one
    assert issue.kind == "misplaced"


def test_a_box_of_the_wrong_class() -> None:
    (issue,) = issues_of(truth([FAR], [0]), found([FAR], [0.75], [1]))
    assert issue == BoxIssue(0, "wrong class", (50, 50, 60, 60), 1, 0, 0.75)


def test_the_annotated_class_with_a_higher_score_is_no_issue() -> None:
    assert issues_of(truth([FAR], [0]), found([FAR, FAR], [0.875, 0.75], [0, 1])) == []


def test_a_spurious_box() -> None:
    (issue,) = issues_of(truth([BOX, FAR]), found([BOX], [0.75]))
    assert issue == BoxIssue(0, "spurious", (50, 50, 60, 60), 0, 1, None, recall=5 / 6)


@pytest.mark.parametrize(
    "detected",
    [
        found([BOX, FAR], [0.75, 0.1]),  # not confident
        found([BOX, BOX], [0.75, 0.75]),  # a duplicate
        found([BOX], [0.1]),  # correct
    ],
)
def test_no_issue(detected: Detections) -> None:
    assert issues_of(truth([BOX]), detected) == []


def test_ignored_boxes_have_no_issue() -> None:
    both = truth([BOX, FAR], ignored=[True, True])
    assert issues_of(both, found([BOX, [0, 0, 10, 4]], [0.875, 0.75])) == []


def test_without_a_hit_nothing_is_confident() -> None:
    truths, detections = [truth([BOX])], [found([FAR], [0.9])]
    assert find_box_issues(truths, detections, match_detections(truths, detections, 1)) == []
    assert find_box_issues([], [], match_detections([], [], 1)) == []


def test_planted_issues_are_found_and_stand_first() -> None:
    """Of 200 photos with 4 boxes, each fifth has one that was changed; detections are good."""
    rng = np.random.default_rng(0)
    truths, detections, planted = [], [], {}
    for photo in range(200):
        corner = rng.permutation(16)[:4]  # a grid of 4 × 4, so that boxes do not overlap
        low = np.stack([corner % 4, corner // 4], axis=1) * 100
        boxes = np.hstack([low, low + rng.integers(40, 90, (4, 2))]).astype(np.float32)
        labels = rng.integers(0, 3, 4)
        seen = rng.random(4) < 0.95
        moved = boxes[seen] + rng.normal(0, 2, (seen.sum(), 4)).astype(np.float32)
        scores = rng.beta(8, 2, seen.sum()).astype(np.float32)
        detections.append(Detections(moved, labels[seen], scores))
        kind = ["missing", "misplaced", "wrong class", "spurious"][photo // 5 % 4]
        keep = np.ones(4, bool)
        if photo % 5 == 0:
            planted[photo] = kind
            keep[0] = kind != "missing"
            if kind == "misplaced":
                boxes[0, :] += 30
            elif kind == "wrong class":
                labels[0] = (labels[0] + 1) % 3
            elif kind == "spurious":
                boxes[0] = (500, 500, 560, 560)
        truths.append(Truth(boxes[keep], labels[keep], np.zeros(keep.sum(), bool)))
    issues = find_box_issues(truths, detections, match_detections(truths, detections, 3))
    strengths = [issue.strength for issue in issues]
    assert strengths == sorted(strengths, reverse=True)
    hits = [issue for issue in issues if planted.get(issue.photo) == issue.kind]
    assert len({issue.photo for issue in hits}) >= 0.5 * len(planted)
    others = [issue for issue in issues if planted.get(issue.photo) != issue.kind]
    # What was not planted are objects that the detector missed, or planted boxes seen otherwise.
    assert {issue.kind for issue in others if issue.photo not in planted} <= {"spurious"}
