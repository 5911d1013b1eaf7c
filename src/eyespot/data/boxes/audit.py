"""Check boxes against their photos: clip them, leave out what is not a box, and report both."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eyespot.data.audit import nearly_alike
from eyespot.data.boxes.dataset import AnnotatedPhoto, BoxDataset
from eyespot.data.boxes.entries import LARGEST, Annotations, Entry
from eyespot.data.boxes.frame import Frame, Size, frame_of, upright_boxes
from eyespot.data.boxes.problems import Problems
from eyespot.data.finding import Finding, worst_first
from eyespot.data.photos import FileSource, Photo, Skipped, content_hash
from eyespot.errors import DatasetError, PhotoError
from eyespot.shown import counted, listed

TINY = 1 / 160
"""Of the photo's long side: 4 pixels of 640, half a cell of the finest feature maps."""
MOSTLY = 0.5
"""Share of the boxes that proves the unit of all."""
WORKERS = 4
_ROBOFLOW = re.compile(r"(.+)\.rf\.[0-9a-f]{16,}", re.IGNORECASE)
"""Roboflow's versions of one photo: name_jpg.rf.<hash>.jpg."""


def audited(found: Annotations, source: str) -> BoxDataset:
    """The dataset of all entries, its boxes checked, with findings of PROBLEMS, the worst first.

    Raises DatasetError if no photo or no box is left, and for coordinates of another unit.
    """
    _check_units(found.entries, source)
    problems = found.problems
    photos: list[AnnotatedPhoto] = []
    skipped = list(found.skipped)
    for entry, frame in zip(found.entries, _frames(found.entries), strict=True):
        try:
            if isinstance(frame, PhotoError):
                raise frame
            photos.append(_checked(entry, frame, problems))
        except PhotoError as error:
            skipped.append(Skipped(entry.photo.name, str(error)))
    photos = _grouped(photos)
    dataset = BoxDataset(tuple(photos), tuple(skipped))
    if not dataset.classes:
        why = f" {skipped[0].path}: {skipped[0].reason}." if skipped else ""
        told = "".join(f" {one.message}" for one in problems.findings() if one.severity != "note")
        raise DatasetError(
            f"Expected photos with boxes in {source}, found {counted(len(photos))} without any box."
            f"{why}{told}"
        )
    splits = _splits(photos)
    findings = [*problems.findings(), *nearly_alike(dataset.classes), *_duplicates(photos), *splits]
    return replace(dataset, findings=(*found.findings, *worst_first(findings)))


def _frames(entries: Sequence[Entry]) -> Iterable[Frame | PhotoError]:
    def read(entry: Entry) -> Frame | PhotoError:
        try:
            return frame_of(entry.photo)
        except PhotoError as error:
            return error

    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(read, entries)


def _check_units(entries: Sequence[Entry], source: str) -> None:
    for unit, limit, other in (
        ("pixels", 1.0, "Expected boxes in pixels in {}, found shares of 0 to 1 ({})."),
        ("share", 2.0, "Expected boxes as shares of 0 to 1 in {}, found pixels ({})."),
    ):
        highest = [np.max(np.abs(e.boxes), axis=1) for e in entries if e.unit == unit]
        tops = np.concatenate([np.empty(0), *highest])
        wrong = tops <= limit if unit == "pixels" else tops > limit
        if len(tops) and float(np.mean(wrong)) > MOSTLY:
            name = next(e.photo.name for e in entries if e.unit == unit and len(e.boxes))
            raise DatasetError(
                other.format(source, f"{name} and others") + " Multiply or divide by width and "
                "height, or export the boxes in another format."
            )


def _checked(entry: Entry, frame: Frame, problems: Problems) -> AnnotatedPhoto:
    """The photo with those of its boxes that are boxes inside it. Raises PhotoError."""
    name, stated = entry.photo.name, len(entry.boxes) + entry.lost
    kept = _drawn(entry, problems)
    entry = replace(
        entry,
        boxes=entry.boxes[kept],
        labels=tuple(np.array(entry.labels, object)[kept]),
        ignored=entry.ignored[kept],
    )
    boxes = upright_boxes(entry, frame, problems)
    inside = _clipped(boxes, frame.upright, name, problems)
    whole = _have_area(inside)
    problems.add("outside", name, int(np.sum(~whole)))
    labels = np.array(entry.labels, object)
    whole[whole] = _not_repeated(inside[whole], labels[whole], name, problems)
    boxes = inside[whole]
    if stated and not len(boxes):  # trained on as background, it would teach the opposite
        raise PhotoError("none of its boxes can be used")
    narrow = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    problems.add("tiny", name, int(np.sum(narrow < TINY * max(frame.upright))))
    problems.add("ignored", name, int(np.sum(entry.ignored[whole])))
    problems.add("background", name, int(not len(boxes)))
    return AnnotatedPhoto(
        entry.photo, boxes.astype(np.float32), tuple(labels[whole]), entry.ignored[whole]
    )


def _drawn(entry: Entry, problems: Problems) -> NDArray[np.bool_]:
    """Which boxes [n] have numbers, an area and a label."""
    boxes, name = entry.boxes, entry.photo.name
    boxes = np.where(np.abs(boxes) < LARGEST, boxes, np.nan)  # Inf - Inf would warn
    valid = np.isfinite(boxes).all(axis=1)
    steps = boxes[:, 2:] - boxes[:, :2]
    backward = valid & (steps < 0).any(axis=1)
    empty = valid & ~backward & (steps == 0).any(axis=1)
    labelled = np.array([bool(label) for label in entry.labels], bool)
    kept = valid & ~backward & ~empty
    for kind, mask in (
        ("not numbers", ~valid),
        ("reversed", backward),
        ("empty", empty),
        ("no label", kept & ~labelled),
    ):
        problems.add(kind, name, int(np.sum(mask)))
    return np.asarray(kept & labelled, bool)


def _have_area(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((boxes[:, 2:] > boxes[:, :2]).all(axis=1), bool)


def _clipped(
    boxes: NDArray[np.float64], size: Size, name: str, problems: Problems
) -> NDArray[np.float64]:
    """Boxes inside the photo; those that are wholly outside have no area. A pixel too much is a
    rounded coordinate, and not reported."""
    limits = np.array([*size, *size], np.float64)
    inside = np.clip(boxes, 0, limits)
    beyond = (np.abs(inside - boxes) > 1).any(axis=1) & _have_area(inside)
    problems.add("clipped", name, int(np.sum(beyond)))
    return inside


def _not_repeated(
    boxes: NDArray[np.float64], labels: NDArray[np.object_], name: str, problems: Problems
) -> NDArray[np.bool_]:
    """Which boxes [n] are the first of their place, in whole pixels, and label."""
    seen: dict[tuple[int, ...], set[str]] = {}
    first = np.ones(len(boxes), bool)
    for index, (place, label) in enumerate(zip(np.rint(boxes).tolist(), labels, strict=True)):
        known = seen.setdefault(tuple(place), set())
        if label in known:
            first[index] = False
        elif known:
            problems.add("two labels", name)
        known.add(label)
    problems.add("duplicated", name, int(np.sum(~first)))
    return first


def _grouped(photos: list[AnnotatedPhoto]) -> list[AnnotatedPhoto]:
    """Roboflow's augmented versions of one photo in one group."""
    stems = [_ROBOFLOW.fullmatch(one.photo.name.rpartition(".")[0]) for one in photos]
    many = {stem for stem, n in Counter(m[1] for m in stems if m).items() if n > 1}
    return [
        replace(one, photo=replace(one.photo, group=found[1]))
        if found and found[1] in many and one.photo.group is None
        else one
        for one, found in zip(photos, stems, strict=True)
    ]


def _splits(photos: Sequence[AnnotatedPhoto]) -> list[Finding]:
    counts = Counter(one.photo.split or "no split" for one in photos)
    if not set(counts) - {"no split"}:
        return []
    order = ("train", "val", "test", "no split")
    named = listed(f"{split} ({counts[split]:,})" for split in order if counts[split])
    return [Finding("splits", "note", f"Photos by split: {named}.")]


def _duplicates(photos: Sequence[AnnotatedPhoto]) -> list[Finding]:
    """Exact duplicates in several splits. Only files of equal size are read."""
    if len({one.photo.split for one in photos}) < 2:
        return []
    sized: dict[int, list[Photo]] = {}
    for one in photos:
        sized.setdefault(_bytes_of(one.photo), []).append(one.photo)
    alike: dict[str, list[Photo]] = {}
    for group in sized.values():
        for photo in group if len({photo.split for photo in group}) > 1 else ():
            alike.setdefault(_hash_of(photo), []).append(photo)
    leaked = [group for group in alike.values() if len({photo.split for photo in group}) > 1]
    if not leaked:
        return []
    names = tuple(photo.name for group in leaked for photo in group)
    message = f"{counted(len(leaked))} with exact duplicates in another split: {listed(names, 4)}."
    advice = "Keep each photo in one split: metrics on photos of the training set are too high."
    return [Finding("duplicates across splits", "error", message, advice, names)]


def _bytes_of(photo: Photo) -> int:
    if not isinstance(photo.source, FileSource):
        return -1
    try:
        return photo.source.path.stat().st_size
    except OSError:
        return -1


def _hash_of(photo: Photo) -> str:
    try:
        return content_hash(photo.read())
    except PhotoError:  # reading it again reports the error
        return photo.name
