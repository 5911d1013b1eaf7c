"""What is wrong with a collection of photos, and what to do about it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding, worst_first
from eyespot.data.formats import EXTENSIONS, sniff
from eyespot.data.photos import Dataset, FileSource, Photo, natural
from eyespot.files import open_file

FEW, VERY_FEW, IMBALANCE = 20, 5, 10.0


def audit(names: Sequence[str], labels: Sequence[str], duplicates: Duplicates) -> list[Finding]:
    """What to know about n photos with their labels, the worst first."""
    findings = [*_conflicts(names, labels, duplicates), *_class_sizes(labels)]
    for kind, groups, words in (
        ("exact duplicates", duplicates.exact, "the same file as another"),
        ("near duplicates", duplicates.near, "the same picture as another, perhaps changed a bit"),
    ):
        if groups:
            extra = sum(len(group) - 1 for group in groups)
            findings.append(
                Finding(
                    kind,
                    "note",
                    f"{_photos(extra)} {'is' if extra == 1 else 'are'} {words}.",
                    "They are kept together in every split, so they do not flatter the figures; "
                    "different photos would teach more.",
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
        said = tuple(sorted({labels[i] for i in group}, key=natural))
        if len(said) > 1:
            disputed.setdefault(said, []).append(group)
    for said, groups in disputed.items():
        one = len(groups) == 1
        yield Finding(
            "conflicting duplicates",
            "error",
            f"{'One picture is' if one else f'{len(groups)} pictures are'} labelled "
            f"{' and '.join(said)}.",
            f"Keep {'it' if one else 'each'} in the class where it belongs and delete the other "
            "copies.",
            tuple(names[i] for group in groups for i in group),
        )


def _class_sizes(labels: Sequence[str]) -> Iterable[Finding]:
    counts = sorted(Counter(labels).items(), key=lambda item: (item[1], natural(item[0])))
    few = [item for item in counts if item[1] < VERY_FEW]
    rather_few = [item for item in counts if VERY_FEW <= item[1] < FEW]
    advice = f"Add photos until every class has at least {FEW}."
    if few:
        text = f"Too few photos to learn from: {_listed(few)}."
        yield Finding("few photos", "warning", text, advice)
    if rather_few:
        yield Finding("few photos", "note", f"Few photos: {_listed(rather_few)}.", advice)
    if counts and counts[-1][1] >= IMBALANCE * counts[0][1]:
        (least, fewest), (most, largest) = counts[0], counts[-1]
        yield Finding(
            "imbalance",
            "warning",
            f"{most} has {_photos(largest)}, {least} only {fewest}.",
            f"Add photos of {least}; until then, look at its own figures, not at the total.",
        )


def audited(dataset: Dataset) -> Dataset:
    """A Dataset with findings about its classes: names that are nearly alike, and classes without
    photos to train on."""
    found = [*_nearly_alike(dataset.classes), *_untrained(dataset.photos)]
    return replace(dataset, findings=(*dataset.findings, *found))


_MARKS = re.compile(r"[\s_]+|(?<=[^\W\d_])[.-]+|[.-]+(?=[^\W\d_])")
"""What two spellings of a name differ in: sea-lion, sea lion; but not -1 and 1, or 1.5 and 15."""


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
                f"{' and '.join(map(repr, names))} are {len(names)} classes; only capitals, spaces "
                "or hyphens differ.",
                "If they are one class, give it one name.",
            )


def _untrained(photos: Iterable[Photo]) -> Iterable[Finding]:
    splits: dict[str, Counter[str]] = {}
    for photo in photos:
        splits.setdefault(photo.label or "", Counter())[photo.split or "train"] += 1
    for name in sorted(splits, key=natural):
        held = splits[name]
        if name and "train" not in held and any("train" in other for other in splits.values()):
            said = " and ".join(
                f"{_counted(count, words)}"
                for split, words in (("val", "validation"), ("test", "test"))
                if (count := held[split])
            )
            yield Finding(
                "no photos to train on",
                "warning",
                f"{name} has {said} and none to train on.",
                f"Add photos of {name} to the training photos, or take the others out.",
            )


def _counted(count: int, words: str) -> str:
    return f"{count:,} {words} {'photo' if count == 1 else 'photos'}"


def misnamed(photos: Iterable[Photo]) -> list[Finding]:
    """Photos whose content is of another format than their names say. Reads their first bytes."""
    wrong: list[tuple[str, str]] = []
    for photo in photos:
        if not isinstance(photo.source, FileSource):
            continue
        try:
            with open_file(photo.source.path) as file:
                kind = sniff(file.read(32))
        except OSError:  # reading the whole photo will tell
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
            f"{_photos(len(wrong))} in another format than the name says, as {name} ({kind}).",
            "They were used all the same; rename them if other programs cannot open them.",
            tuple(name for name, _ in wrong),
        )
    ]


def _listed(counts: Sequence[tuple[str, int]], most: int = 8) -> str:
    more = f" and {len(counts) - most} more classes" if len(counts) > most else ""
    return ", ".join(f"{name} ({count})" for name, count in counts[:most]) + more


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count:,} photos"
