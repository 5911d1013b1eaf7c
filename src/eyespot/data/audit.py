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
    advice = (
        "Duplicates stay in the same fold, so they do not inflate the metrics. Other photos would "
        "improve the classifier more."
    )
    for kind, noun, groups in (
        ("exact duplicates", "exact duplicate", duplicates.exact),
        ("near duplicates", "near-duplicate", duplicates.near),
    ):
        if groups:
            found = counted(sum(len(group) - 1 for group in groups), noun)
            members = tuple(names[i] for group in groups for i in group)
            findings.append(Finding(kind, "note", f"{found} found.", advice, members))
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
        have, each = ("has", "it") if len(groups) == 1 else ("have", "each")
        found = f"{counted(len(groups))} {have} duplicates in several classes: {listed(classes)}."
        advice = f"Keep {each} in the correct class and delete the other duplicates."
        members = tuple(names[i] for group in groups for i in group)
        yield Finding("conflicting duplicates", "error", found, advice, members)


def _class_sizes(labels: Sequence[str]) -> Iterable[Finding]:
    counts = sorted(Counter(labels).items(), key=lambda item: (item[1], natural(item[0])))
    few = [f"{name} ({count:,})" for name, count in counts if count < VERY_FEW]
    rather_few = [f"{name} ({count:,})" for name, count in counts if VERY_FEW <= count < FEW]
    advice = f"Add photos until every class has at least {FEW}."
    if few:
        text = f"Too few photos to train on: {listed(few)}."
        yield Finding("few photos", "warning", text, advice)
    if rather_few:
        yield Finding("few photos", "note", f"Few photos: {listed(rather_few)}.", advice)
    if counts and counts[-1][1] >= IMBALANCE * counts[0][1]:
        (least, fewest), (most, largest) = counts[0], counts[-1]
        found = f"{most} has {counted(largest)}, {least} only {fewest:,}."
        advice = f"Add photos of {least}. Until then, look at the recall of {least}, too."
        yield Finding("imbalance", "warning", found, advice)


def audited(dataset: Dataset) -> Dataset:
    """Add findings about similar class names and classes without training photos."""
    found = [*nearly_alike(dataset.classes), *_untrained(dataset.photos)]
    return replace(dataset, findings=(*dataset.findings, *found))


_MARKS = re.compile(r"[\s_]+|(?<=[^\W\d_])[.-]+|[.-]+(?=[^\W\d_])")
"""Marks that do not distinguish names: sea-lion, sea lion. But -1 and 1, 1.5 and 15 differ."""


def nearly_alike(classes: Sequence[str]) -> Iterable[Finding]:
    alike: dict[str, list[str]] = {}
    for name in classes:
        folded = unicodedata.normalize("NFKC", name).casefold()
        alike.setdefault(_MARKS.sub("", folded) or folded, []).append(name)
    for names in alike.values():
        if len(names) > 1:
            named = f"{listed(map(repr, names))} are {len(names)} classes"
            message = f"{named} that differ only in capitals, spaces or hyphens."
            advice = "If they are one class, rename one of them."
            yield Finding("similar names", "warning", message, advice)


def _untrained(photos: Iterable[Photo]) -> Iterable[Finding]:
    splits: dict[str, Counter[str]] = {}
    for photo in photos:
        splits.setdefault(photo.label or "", Counter())[photo.split or "train"] += 1
    for name in sorted(splits, key=natural):
        held = splits[name]
        if name and "train" not in held and any("train" in other for other in splits.values()):
            words = (("val", "validation photo"), ("test", "test photo"))
            found = " and ".join(counted(held[split], word) for split, word in words if held[split])
            message = f"{name} has {found} and no training photos."
            advice = f"Add training photos of {name}, or remove the class."
            yield Finding("no photos to train on", "warning", message, advice)


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
    message = f"{counted(len(wrong))} with a wrong file ending, as {name} ({kind})."
    advice = "eyespot used them. Rename them if other programs cannot open them."
    return [Finding("misnamed", "note", message, advice, tuple(name for name, _ in wrong))]
