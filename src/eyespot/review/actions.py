"""Proposals for a reviewed dataset, photo by photo. eyespot changes no file itself."""

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
"""The most useful first: wrong training data, then useless training data, then tidiness."""


@dataclass(frozen=True, slots=True)
class Action:
    """A proposal. `index`: of the photo in the review; None for an unreadable file.

    `label`: the present label; "" without labels. `detail`: see docs/guides/dataset.md.
    `score`: 0..1, how clear the case is among those of its kind; None where nothing was measured.
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
        *_label_conflicts(review),
        *_label_issues(review),
        *(
            Action(_skipped_path(review, skipped.path), "fix file", "", skipped.reason, 1.0, None)
            for skipped in review.skipped
        ),
        *_duplicates(review),
        *_outliers(review),
        *_misnamed(review),
    ]
    to_sort = not review.classes and len(review.clusters.members) > 1
    return [*found, *_groups(review)] if to_sort else found


def path_of(photo: Photo) -> str:
    """The path of a photo; its name, if it is in a table or a shard."""
    return printable(photo.source.path) if isinstance(photo.source, FileSource) else photo.name


def _skipped_path(review: Review, name: str) -> str:
    """The path of a skipped file, if it exists; its name otherwise."""
    if review.root is None or not os.path.exists(review.root / name):  # noqa: PTH110 - may raise
        return name
    return printable(review.root / name)


def _action(
    review: Review, index: int, kind: Kind, detail: str, score: float | None = None
) -> Action:
    photo = review.photos[index]
    return Action(path_of(photo), kind, photo.label or "", detail, score, index)


def duplicates_of(review: Review) -> list[tuple[list[int], bool]]:
    """Groups of duplicates, and whether all are exact; no group is part of another."""
    near = review.duplicates.near
    inside = {index for group in near for index in group}
    exact = [group for group in review.duplicates.exact if not inside.intersection(group)]
    return [(group, True) for group in exact] + [(group, False) for group in near]


def disputed(review: Review, group: list[int]) -> bool:
    """Whether duplicates have different labels."""
    return len({review.photos[index].label for index in group}) > 1


def _label_conflicts(review: Review) -> Iterator[Action]:
    for group, same in duplicates_of(review):
        if not disputed(review, group):
            continue
        for index in group:
            label = review.photos[index].label
            others = (review.photos[i] for i in group if review.photos[i].label != label)
            detail = "; ".join(f"{path_of(other)} is labelled {other.label}" for other in others)
            yield _action(review, index, "settle label", detail, 1.0 if same else None)


def _label_issues(review: Review) -> Iterator[Action]:
    groups = [group for group, _ in duplicates_of(review) if disputed(review, group)]
    conflicting = {index for group in groups for index in group}
    for issue in review.check.label_issues if review.check else ():
        if issue.index not in conflicting:  # those labels are checked anyway
            suggested = review.classes[issue.suggested]
            yield _action(review, issue.index, "check label", suggested, issue.confidence)


def _duplicates(review: Review) -> Iterator[Action]:
    """All but the largest file of each group."""
    for group, same in duplicates_of(review):
        if disputed(review, group):
            continue
        kept, *others = sorted(group, key=lambda index: -_size(review.photos[index]))
        name = path_of(review.photos[kept])
        for index in others:
            exact = same or review.features.sha256[index] == review.features.sha256[kept]
            yield _action(review, index, "remove duplicate", name, 1.0 if exact else None)


def _size(photo: Photo) -> int:
    try:
        return photo.source.path.stat().st_size if isinstance(photo.source, FileSource) else 0
    except OSError:
        return 0


def _outliers(review: Review) -> Iterator[Action]:
    for index in review.outliers:
        score = min(1.0, max(0.0, float(review.ood_scores[index])))
        yield _action(review, index, "look at outlier", "unlike all other photos", score)


def _misnamed(review: Review) -> Iterator[Action]:
    names = {name for one in review.findings if one.kind == "misnamed" for name in one.photos}
    for index, photo in enumerate(review.photos):
        if photo.name in names:
            detail = "the content has another format than the name"
            yield _action(review, index, "rename", detail)


def _groups(review: Review) -> Iterator[Action]:
    for number, members in enumerate(review.clusters.members, start=1):
        for index in members:
            yield _action(review, index, "sort into", f"group {number}")
