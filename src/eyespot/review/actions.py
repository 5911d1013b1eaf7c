"""What a person may do about a collection, photo by photo. eyespot itself changes nothing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from eyespot.data.photos import FileSource, Photo, printable
from eyespot.review.review import Survey

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
    """A proposal. `index`: of the photo in the survey; None for one that could not be read.

    `label`: what it is labelled now; "" without labels. `detail`: see docs/dataset.md. `score`:
    0..1, how clear the case is among those of its kind; None where nothing was measured.
    """

    path: str
    kind: Kind
    label: str
    detail: str
    score: float | None
    index: int | None


def propose(survey: Survey) -> list[Action]:
    """Proposals, the most useful kind first, the clearest case first."""
    found = [
        *_settle(survey),
        *_check(survey),
        *(
            Action(_found(survey, skipped.path), "fix file", "", skipped.reason, 1.0, None)
            for skipped in survey.skipped
        ),
        *_copies(survey),
        *_outliers(survey),
        *_misnamed(survey),
    ]
    to_sort = not survey.classes and len(survey.clusters.members) > 1
    return [*found, *_sort(survey)] if to_sort else found


def path_of(photo: Photo) -> str:
    """Where a photo lies on the disk; its name, if it lies in a table or a shard."""
    return printable(photo.source.path) if isinstance(photo.source, FileSource) else photo.name


def _found(survey: Survey, name: str) -> str:
    """The path of a file that was skipped, if it can be told."""
    if survey.root is None or not os.path.exists(survey.root / name):  # noqa: PTH110 - may raise
        return name
    return printable(survey.root / name)


def _action(
    survey: Survey, index: int, kind: Kind, detail: str, score: float | None = None
) -> Action:
    photo = survey.photos[index]
    return Action(path_of(photo), kind, photo.label or "", detail, score, index)


def copies_of(survey: Survey) -> list[tuple[list[int], bool]]:
    """Photos that are one picture, and whether all are the same file; no group is in another."""
    near = survey.duplicates.near
    inside = {index for group in near for index in group}
    exact = [group for group in survey.duplicates.exact if not inside.intersection(group)]
    return [(group, True) for group in exact] + [(group, False) for group in near]


def disputed(survey: Survey, group: list[int]) -> bool:
    """Whether copies of one picture have different labels."""
    return len({survey.photos[index].label for index in group}) > 1


def _settle(survey: Survey) -> Iterator[Action]:
    for group, same in copies_of(survey):
        if not disputed(survey, group):
            continue
        for index in group:
            label = survey.photos[index].label
            others = (survey.photos[i] for i in group if survey.photos[i].label != label)
            said = "; ".join(f"{path_of(other)} is labelled {other.label}" for other in others)
            yield _action(survey, index, "settle label", said, 1.0 if same else None)


def _check(survey: Survey) -> Iterator[Action]:
    settled = {i for group, _ in copies_of(survey) if disputed(survey, group) for i in group}
    for suspicion in survey.check.suspicious if survey.check else ():
        if suspicion.index in settled:  # somebody will look at its label anyway
            continue
        suggested = survey.classes[suspicion.suggested]
        yield _action(survey, suspicion.index, "check label", suggested, suspicion.confidence)


def _copies(survey: Survey) -> Iterator[Action]:
    """All but the largest file of a picture."""
    for group, same in copies_of(survey):
        if disputed(survey, group):
            continue
        kept, *others = sorted(group, key=lambda index: -_size(survey.photos[index]))
        name = path_of(survey.photos[kept])
        for index in others:
            whole = same or survey.features.sha256[index] == survey.features.sha256[kept]
            yield _action(survey, index, "remove duplicate", name, 1.0 if whole else None)


def _size(photo: Photo) -> int:
    try:
        return photo.source.path.stat().st_size if isinstance(photo.source, FileSource) else 0
    except OSError:
        return 0


def _outliers(survey: Survey) -> Iterator[Action]:
    for index in survey.outliers:
        score = min(1.0, max(0.0, 1 - float(survey.familiarity[index])))
        yield _action(survey, index, "look at outlier", "like no other photo", score)


def _misnamed(survey: Survey) -> Iterator[Action]:
    place = {photo.name: index for index, photo in enumerate(survey.photos)}
    for finding in survey.findings:
        if finding.kind == "misnamed":
            for name in finding.photos:
                yield _action(survey, place[name], "rename", "its content is of another format")


def _sort(survey: Survey) -> Iterator[Action]:
    for number, members in enumerate(survey.clusters.members, start=1):
        for index in members:
            yield _action(survey, index, "sort into", f"group {number}")
