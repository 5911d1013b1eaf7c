"""What is wrong with a collection of photos, and what to do about it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NEAR_BITS = 6
"""Two photos whose 64-bit difference hashes differ in at most so many bits may be copies."""
NEAR_COSINE = 0.97
"""They are if their features also point the same way."""
CROWD = 64
"""More photos than this behind one part of a hash share blandness, not content."""
FEW, VERY_FEW, IMBALANCE = 20, 5, 10.0


@dataclass(frozen=True)
class Duplicates:
    """`group`: int64 [n], equal for the same picture. `exact`, `near`: indices of photos that
    are the same file, or the same picture saved or resized differently."""

    group: NDArray[np.int64]
    exact: list[list[int]]
    near: list[list[int]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know. `photos`: the names concerned, perhaps none."""

    kind: str
    severity: Literal["error", "warning", "note"]
    message: str
    advice: str
    photos: tuple[str, ...] = ()


def duplicate_groups(
    sha256: Sequence[str],
    dhash: NDArray[np.uint64],
    embedding: NDArray[np.float32],
    bursts: Sequence[str | None] | None = None,
) -> Duplicates:
    """Find copies among n photos, without comparing each with each.

    Exact copies have the same `sha256`. Near copies have a `dhash` uint64 [n] that differs in at
    most NEAR_BITS bits and an `embedding` float32 [n, d] of cosine at least NEAR_COSINE. Hashes
    that near agree in one of seven parts (pigeonhole), so that only photos that share a part are
    compared. Photos of one of the `bursts` share a group too, but are not called copies.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(sha256)
    _, same_file = np.unique(np.asarray(sha256), return_inverse=True)
    first = np.full(count, count)
    np.minimum.at(first, same_file, np.arange(count))
    exact_pairs = np.stack([first[same_file], np.arange(count)], axis=1)
    near_pairs = _near_pairs(dhash, embedding)
    pairs = np.concatenate([exact_pairs, near_pairs])
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, group = connected_components(graph, directed=False)
    exact = _members(same_file)
    near = [m for m in _members(group) if len({sha256[i] for i in m}) > 1]
    if bursts is not None and any(bursts):
        names = [burst or f"\0{index}" for index, burst in enumerate(bursts)]
        _, burst = np.unique(names, return_inverse=True)
        bipartite = coo_array((np.ones(count, np.int8), (group, group.max() + 1 + burst)))
        bipartite.resize((group.max() + 2 + burst.max(),) * 2)
        group = connected_components(bipartite, directed=False)[1][group]
    return Duplicates(group.astype(np.int64), exact, near)


def _near_pairs(dhash: NDArray[np.uint64], embedding: NDArray[np.float32]) -> NDArray[np.int64]:
    rows = embedding / np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    found = [np.empty((0, 2), np.int64)]
    width = -(-64 // (NEAR_BITS + 1))
    for shift in range(0, 64, width):
        part = (dhash >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        order = np.argsort(part, kind="stable")
        starts = np.flatnonzero(np.diff(part[order], prepend=part[order][:1] + np.uint64(1)))
        for bucket in np.split(order, starts[1:]):
            if len(bucket) < 2:
                continue
            if len(bucket) > CROWD:  # order by the whole hash: copies end up side by side
                bucket = bucket[np.argsort(dhash[bucket], kind="stable")]
            reach = min(len(bucket) - 1, CROWD)
            for step in range(1, reach + 1):
                a, b = bucket[:-step], bucket[step:]
                alike = np.bitwise_count(dhash[a] ^ dhash[b]) <= NEAR_BITS
                a, b = a[alike], b[alike]
                close = np.einsum("nd,nd->n", rows[a], rows[b]) >= NEAR_COSINE
                found.append(np.stack([a[close], b[close]], axis=1))
    return np.concatenate(found)


def _members(group: NDArray[np.int64]) -> list[list[int]]:
    """Indices by group, for groups of two and more."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order])) + 1
    return [part.tolist() for part in np.split(order, starts) if len(part) > 1]


def audit(names: Sequence[str], labels: Sequence[str], duplicates: Duplicates) -> list[Finding]:
    """What to know about n photos with their labels, the worst first."""
    findings = [*_conflicts(names, labels, duplicates), *_class_sizes(labels)]
    for kind, groups, words in (
        ("exact duplicates", duplicates.exact, "are the same file as another"),
        ("near duplicates", duplicates.near, "are the same picture as another"),
    ):
        if groups:
            extra = sum(len(group) - 1 for group in groups)
            findings.append(
                Finding(
                    kind,
                    "note",
                    f"{_photos(extra)} {words if extra > 1 else words.replace('are', 'is', 1)}.",
                    "They are kept together in every split, so they do not flatter the figures; "
                    "different photos would teach more.",
                    tuple(names[i] for group in groups for i in group),
                )
            )
    return findings


def _conflicts(
    names: Sequence[str], labels: Sequence[str], duplicates: Duplicates
) -> Iterable[Finding]:
    for group in _members(duplicates.group):
        said = sorted({labels[i] for i in group})
        if len(said) > 1:
            yield Finding(
                "conflicting duplicates",
                "error",
                f"The same picture is labelled {' and '.join(said)}.",
                "Keep it in the class where it belongs and delete the other copies.",
                tuple(names[i] for i in group),
            )


def _class_sizes(labels: Sequence[str]) -> Iterable[Finding]:
    counts = Counter(labels)
    most, least = counts.most_common()[0], counts.most_common()[-1]
    for severity, words, limit in (("warning", "only", VERY_FEW), ("note", "few photos:", FEW)):
        small = [name for name, count in counts.items() if count < limit]
        small = [n for n in small if severity == "warning" or counts[n] >= VERY_FEW]
        if small:
            listed = ", ".join(f"{name} ({counts[name]})" for name in small[:8])
            more = f" and {len(small) - 8} more classes" if len(small) > 8 else ""
            yield Finding(
                "few photos",
                "warning" if severity == "warning" else "note",
                f"There are {words} {listed}{more}.",
                f"Add photos until every class has at least {FEW}.",
            )
    if most[1] >= IMBALANCE * least[1]:
        yield Finding(
            "imbalance",
            "warning",
            f"{most[0]} has {most[1]} photos, {least[0]} only {least[1]}.",
            f"Add photos of {least[0]}; until then, look at its own figures, not at the total.",
        )


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"
