"""Which photos are the same picture: the same file, or saved again, resized, recoloured, trimmed.

Candidates come from perceptual hashes; their thumbnails decide. A network's features do not: for
small photos they move more when a photo is resized than between two photos of one class.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from simplejpeg import decode_jpeg

from eyespot.shown import Brief

NEAR_BITS = 8
"""Most bits, of 64, in which the hashes of two candidates differ."""
NEAR_CORRELATION = 0.88
"""Least correlation of the gradients of two copies. Measured on 240 photos of four kinds: 92 to
100 % of their copies that were saved again, halved, made grey, brighter or flatter reach it, and
77 to 100 % of those trimmed by 2 % on each side; no two different photos among 4,100 did."""
SIDE = 20
"""Thumbnails are compared at so many pixels each way."""
CROWD = 32
"""So many photos with the same hash share blandness rather than content."""
PAIRS_PER_PHOTO = 10
"""More candidates than this on average are not worth looking at."""

BLOCK = 50_000
"""Hashes are compared in blocks of so many pairs, which fit a processor's cache."""


@dataclass(frozen=True, repr=False)
class Duplicates(Brief):
    """`group`: int64 [n], equal for photos that must not be divided. `exact`, `near`: indices of
    photos that are the same file, or the same picture in several files."""

    group: NDArray[np.int64]
    exact: list[list[int]]
    near: list[list[int]]


def find_duplicates(
    sha256: Sequence[str],
    dhash: NDArray[np.uint64],
    thumbnails: Sequence[bytes],
    bursts: Sequence[str | None] | None = None,
) -> Duplicates:
    """Find copies among n photos, without comparing each with each.

    `sha256`: of the files; equal for exact copies. `dhash`: uint64 [n], see decode.dhash.
    `thumbnails`: JPEG files of any size. Photos of one of the `bursts` are put into one group, but
    are not called copies.
    """
    pairs = _candidates(dhash)
    near = pairs[_look_alike(thumbnails, pairs)]
    same_file = np.unique(np.asarray(sha256), return_inverse=True)[1]
    links = np.concatenate([_chain(same_file), near])
    copies = _components(links, len(sha256))
    group = copies
    if bursts is not None and any(bursts):
        names = [burst or f"\0{index}" for index, burst in enumerate(bursts)]
        same_burst = np.unique(names, return_inverse=True)[1]
        group = _components(np.concatenate([links, _chain(same_burst)]), len(sha256))
    near_groups = [m for m in _members(copies) if len({sha256[i] for i in m}) > 1]
    return Duplicates(group, _members(same_file), near_groups)


def _members(group: NDArray[np.int64]) -> list[list[int]]:
    """Indices by group, for groups of two and more."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order])) + 1
    return [part.tolist() for part in np.split(order, starts) if len(part) > 1]


def _chain(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs [m, 2] that link each member of a group with the next."""
    order = np.argsort(group, kind="stable")
    same = group[order[:-1]] == group[order[1:]]
    return np.stack([order[:-1][same], order[1:][same]], axis=1)


def _components(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), (count, count))
    group: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return group


def _candidates(dhash: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of photos [m, 2] whose hashes are close, each pair once.

    Photos with the same hash are compared with the next CROWD of them. Among different hashes,
    the allowed distance is NEAR_BITS, or less where photos are so alike that it would say nothing.
    """
    order = np.argsort(dhash, kind="stable")
    ordered = dhash[order]
    found = []
    for step in range(1, min(CROWD, len(order) - 1) + 1):
        same = ordered[:-step] == ordered[step:]
        if not same.any():
            break
        found.append(np.stack([order[:-step][same], order[step:][same]], axis=1))
    different, first = np.unique(dhash, return_index=True)
    bits = _telling_distance(different)
    found += [first[pairs] for pairs in _close(different, bits)] if bits else []
    if not found:
        return np.empty((0, 2), dtype=np.int64)
    low, high = np.sort(np.concatenate(found), axis=1).T
    return np.stack(np.divmod(np.unique(low * len(dhash) + high), len(dhash)), axis=1)


def _telling_distance(hashes: NDArray[np.uint64]) -> int:
    """The largest distance, up to NEAR_BITS, at which few enough pairs are expected."""
    rng = np.random.default_rng(0)
    count = len(hashes)
    if count < 2:
        return 0
    a = rng.integers(0, count, min(1_000_000, 100 * count))
    b = (a + rng.integers(1, count, len(a))) % count
    distances = np.bitwise_count(hashes[a] ^ hashes[b])
    closer = np.cumsum(np.bincount(distances, minlength=65)) / len(distances)
    expected = closer[: NEAR_BITS + 1] * (count - 1) / 2
    return int(np.flatnonzero(expected <= PAIRS_PER_PHOTO).max(initial=0))


def _close(hashes: NDArray[np.uint64], bits: int) -> Iterator[NDArray[np.int64]]:
    """Pairs [m, 2] of hashes that differ in at most `bits` bits, some of them repeatedly.

    Such hashes agree in at least one of bits + 1 parts (pigeonhole), so only those that share a
    part are compared. A part takes bits from all over the hash: neighbouring bits go together.
    """
    for part in range(bits + 1):
        mask = sum(1 << bit for bit in range(part, 64, bits + 1))
        key = hashes & np.uint64(mask)
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order])) + 1
        for bucket in np.split(order, starts):
            shared = hashes[bucket]
            rows = 1 + BLOCK // len(bucket)
            for row in range(0, len(bucket) - 1, rows):
                distance = np.bitwise_count(shared[row : row + rows, None] ^ shared[None, row:])
                a, b = np.divmod(np.flatnonzero(distance <= bits), len(bucket) - row)
                above = a < b
                if above.any():
                    yield np.stack([bucket[row + a[above]], bucket[row + b[above]]], axis=1)


def _look_alike(thumbnails: Sequence[bytes], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pairs [m, 2] of thumbnails show the same picture."""
    needed, position = np.unique(pairs, return_inverse=True)
    position = position.reshape(pairs.shape)
    rows = (
        np.stack([_gradients(thumbnails[i]) for i in needed]) if len(needed) else np.empty((0, 0))
    )
    alike = np.zeros(len(pairs), dtype=np.bool_)
    for start in range(0, len(pairs), 65536):
        a, b = position[start : start + 65536].T
        alike[start : start + 65536] = np.einsum("nd,nd->n", rows[a], rows[b]) >= NEAR_CORRELATION
    return alike


def _gradients(thumbnail: bytes) -> NDArray[np.float32]:
    """Horizontal and vertical differences of the grey picture, as one vector of length 1.

    A picture without contrast gets the zero vector, which is like nothing.
    """
    try:
        grey = Image.fromarray(decode_jpeg(thumbnail, "GRAY")[:, :, 0])
    except ValueError:  # a damaged thumbnail shows nothing
        return np.zeros(2 * SIDE * (SIDE - 1), dtype=np.float32)
    small = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)
    steps = np.concatenate([np.diff(small, axis=axis).ravel() for axis in (0, 1)])
    steps -= steps.mean()
    length = np.linalg.norm(steps)
    return (steps / length if length > 1 else 0 * steps).astype(np.float32)
