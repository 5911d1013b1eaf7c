"""Find problems in a dataset: duplicates, conflicting labels, small classes, similar names."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding, worst_first
from eyespot.data.formats import EXTENSIONS, sniff_file
from eyespot.data.photos import Dataset, FileSource, Photo, natural
from eyespot.shown import counted, listed

FEW, VERY_FEW, IMBALANCE = 20, 5, 10.0


def audit(names: Sequence[str], labels: Sequence[str], duplicates: Duplicates) -> list[Finding]:
    """Findings about n photos and their labels, the worst first."""
    findings = [*_conflicts(names, labels, duplicates), *_class_sizes(labels)]
    for kind, noun, groups in (
        ("exact duplicates", "exact duplicate", duplicates.exact),
        ("near duplicates", "near-duplicate", duplicates.near),
    ):
        if groups:
            extra = sum(len(group) - 1 for group in groups)
            findings.append(
                Finding(
                    kind,
                    "note",
                    f"{counted(extra, noun)} found.",
                    "Duplicates stay in the same fold, so they do not inflate the metrics. Other "
                    "photos would improve the classifier more.",
                    tuple(names[i] for group in groups for i in group),
                )
            )
    return worst_first(findings)


def _conflicts(
    names: Sequence[str], labels: Sequence[str], duplicates: Duplicates
) -> Iterable[Finding]:
    related = {index for group in duplicates.near for index in group}
    files = [group for group in duplicates.exact if not related.intersection(group)]
    disputed: dict[tuple[str, ...], list[list[int]]] = {}
    for group in [*duplicates.near, *files]:
        classes = tuple(sorted({labels[i] for i in group}, key=natural))
        if len(classes) > 1:
            disputed.setdefault(classes, []).append(group)
    for classes, groups in disputed.items():
        one = len(groups) == 1
        yield Finding(
            "conflicting duplicates",
            "error",
            f"{counted(len(groups), 'photo')} {'has' if one else 'have'} duplicates in several "
            f"classes: {listed(classes)}.",
            f"Keep {'it' if one else 'each'} in the correct class and delete the other duplicates.",
            tuple(names[i] for group in groups for i in group),
        )


def _class_sizes(labels: Sequence[str]) -> Iterable[Finding]:
    counts = sorted(Counter(labels).items(), key=lambda item: (item[1], natural(item[0])))
    few = [item for item in counts if item[1] < VERY_FEW]
    rather_few = [item for item in counts if VERY_FEW <= item[1] < FEW]
    advice = f"Add photos until every class has at least {FEW}."
    if few:
        text = f"Too few photos to train on: {_listed(few)}."
        yield Finding("few photos", "warning", text, advice)
    if rather_few:
        yield Finding("few photos", "note", f"Few photos: {_listed(rather_few)}.", advice)
    if counts and counts[-1][1] >= IMBALANCE * counts[0][1]:
        (least, fewest), (most, largest) = counts[0], counts[-1]
        yield Finding(
            "imbalance",
            "warning",
            f"{most} has {counted(largest, 'photo')}, {least} only {fewest:,}.",
            f"Add photos of {least}. Until then, look at the recall of {least}, too.",
        )


def audited(dataset: Dataset) -> Dataset:
    """Add findings about similar class names and classes without training photos."""
    found = [*_nearly_alike(dataset.classes), *_untrained(dataset.photos)]
    return replace(dataset, findings=(*dataset.findings, *found))


_MARKS = re.compile(r"[\s_]+|(?<=[^\W\d_])[.-]+|[.-]+(?=[^\W\d_])")
"""Marks that do not distinguish names: sea-lion, sea lion. But -1 and 1, 1.5 and 15 differ."""


def _nearly_alike(classes: Sequence[str]) -> Iterable[Finding]:
    alike: dict[str, list[str]] = {}
    for name in classes:
        folded = unicodedata.normalize("NFKC", name).casefold()
        alike.setdefault(_MARKS.sub("", folded) or folded, []).append(name)
    for names in alike.values():
        if len(names) > 1:
            yield Finding(
                "similar names",
                "warning",
                f"{listed(map(repr, names))} are {len(names)} classes that differ only in "
                "capitals, spaces or hyphens.",
                "If they are one class, rename one of them.",
            )


def _untrained(photos: Iterable[Photo]) -> Iterable[Finding]:
    splits: dict[str, Counter[str]] = {}
    for photo in photos:
        splits.setdefault(photo.label or "", Counter())[photo.split or "train"] += 1
    for name in sorted(splits, key=natural):
        held = splits[name]
        if name and "train" not in held and any("train" in other for other in splits.values()):
            words = (("val", "validation photo"), ("test", "test photo"))
            found = " and ".join(counted(held[split], word) for split, word in words if held[split])
            yield Finding(
                "no photos to train on",
                "warning",
                f"{name} has {found} and no training photos.",
                f"Add training photos of {name}, or remove the class.",
            )


def misnamed(photos: Iterable[Photo]) -> list[Finding]:
    """A finding about photos whose file ending is of another format. Reads their first bytes."""
    wrong: list[tuple[str, str]] = []
    for photo in photos:
        if not isinstance(photo.source, FileSource):
            continue
        try:
            kind = sniff_file(photo.source.path)
        except OSError:  # decoding reports it
            continue
        if kind is not None and EXTENSIONS.get(photo.source.path.suffix.lower(), kind) != kind:
            wrong.append((photo.name, kind))
    if not wrong:
        return []
    name, kind = wrong[0]
    return [
        Finding(
            "misnamed",
            "note",
            f"{counted(len(wrong), 'photo')} with a wrong file ending, as {name} ({kind}).",
            "eyespot used them. Rename them if other programs cannot open them.",
            tuple(name for name, _ in wrong),
        )
    ]


def _listed(counts: Sequence[tuple[str, int]]) -> str:
    return listed(f"{name} ({count:,})" for name, count in counts)
