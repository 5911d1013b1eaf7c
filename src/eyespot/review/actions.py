"""What a person may do about a collection, photo by photo. eyespot itself changes nothing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from eyespot.data.photos import FileSource, Photo, printable
from eyespot.review.review import Review

Kind = Literal[
    "settle label",
    "check label",
    "fix file",
    "remove duplicate",
    "look at outlier",
    "rename",
    "sort into",
]
"""The most useful first: what makes a classifier learn something wrong, what teaches it nothing,
what is a matter of taste."""


@dataclass(frozen=True, slots=True)
class Action:
    """A proposal. `index`: of the photo in the review; None for one that could not be read.

    `label`: what it is labelled now; "" without labels. `detail`: see docs/dataset.md. `score`:
    0..1, how clear the case is among those of its kind; None where nothing was measured.
    """

    path: str
    kind: Kind
    label: str
    detail: str
    score: float | None
    index: int | None


def propose(review: Review) -> list[Action]:
    """Proposals, the most useful kind first, the clearest case first."""
    found = [
        *_settle(review),
        *_check(review),
        *(
            Action(_found(review, skipped.path), "fix file", "", skipped.reason, 1.0, None)
            for skipped in review.skipped
        ),
        *_copies(review),
        *_outliers(review),
        *_misnamed(review),
    ]
    to_sort = not review.classes and len(review.clusters.members) > 1
    return [*found, *_sort(review)] if to_sort else found


def path_of(photo: Photo) -> str:
    """Where a photo lies on the disk; its name, if it lies in a table or a shard."""
    return printable(photo.source.path) if isinstance(photo.source, FileSource) else photo.name


def _found(review: Review, name: str) -> str:
    """The path of a file that was skipped, if it can be told."""
    if review.root is None or not os.path.exists(review.root / name):  # noqa: PTH110 - may raise
        return name
    return printable(review.root / name)


def _action(
    review: Review, index: int, kind: Kind, detail: str, score: float | None = None
) -> Action:
    photo = review.photos[index]
    return Action(path_of(photo), kind, photo.label or "", detail, score, index)


def copies_of(review: Review) -> list[tuple[list[int], bool]]:
    """Photos that are one picture, and whether all are the same file; no group is in another."""
    near = review.duplicates.near
    inside = {index for group in near for index in group}
    exact = [group for group in review.duplicates.exact if not inside.intersection(group)]
    return [(group, True) for group in exact] + [(group, False) for group in near]


def disputed(review: Review, group: list[int]) -> bool:
    """Whether copies of one picture have different labels."""
    return len({review.photos[index].label for index in group}) > 1


def _settle(review: Review) -> Iterator[Action]:
    for group, same in copies_of(review):
        if not disputed(review, group):
            continue
        for index in group:
            label = review.photos[index].label
            others = (review.photos[i] for i in group if review.photos[i].label != label)
            said = "; ".join(f"{path_of(other)} is labelled {other.label}" for other in others)
            yield _action(review, index, "settle label", said, 1.0 if same else None)


def _check(review: Review) -> Iterator[Action]:
    settled = {i for group, _ in copies_of(review) if disputed(review, group) for i in group}
    for label_issue in review.check.label_issues if review.check else ():
        if label_issue.index in settled:  # somebody will look at its label anyway
            continue
        suggested = review.classes[label_issue.suggested]
        yield _action(review, label_issue.index, "check label", suggested, label_issue.confidence)


def _copies(review: Review) -> Iterator[Action]:
    """All but the largest file of a picture."""
    for group, same in copies_of(review):
        if disputed(review, group):
            continue
        kept, *others = sorted(group, key=lambda index: -_size(review.photos[index]))
        name = path_of(review.photos[kept])
        for index in others:
            whole = same or review.features.sha256[index] == review.features.sha256[kept]
            yield _action(review, index, "remove duplicate", name, 1.0 if whole else None)


def _size(photo: Photo) -> int:
    try:
        return photo.source.path.stat().st_size if isinstance(photo.source, FileSource) else 0
    except OSError:
        return 0


def _outliers(review: Review) -> Iterator[Action]:
    for index in review.outliers:
        score = min(1.0, max(0.0, float(review.ood_scores[index])))
        yield _action(review, index, "look at outlier", "like no other photo", score)


def _misnamed(review: Review) -> Iterator[Action]:
    place = {photo.name: index for index, photo in enumerate(review.photos)}
    for finding in review.findings:
        if finding.kind == "misnamed":
            for name in finding.photos:
                yield _action(review, place[name], "rename", "its content is of another format")


def _sort(review: Review) -> Iterator[Action]:
    for number, members in enumerate(review.clusters.members, start=1):
        for index in members:
            yield _action(review, index, "sort into", f"group {number}")
