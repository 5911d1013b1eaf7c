"""The photos most like one, among those whose features `eyespot embed` wrote.

The search looks at all photos; none is passed over. What it compares first is the features rounded
to 8 bits, kept beside the Parquet file for later searches; the best are then compared with all
digits. An index would take hours to make for a million photos, and could miss some.
"""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import unit_rows
from eyespot.atomic import atomic_writer
from eyespot.data.given import PhotoLike, path_of, photo_of, whole_number
from eyespot.data.parquet import ABOUT
from eyespot.data.photos import Photo, printable
from eyespot.errors import DatasetError, PhotoError, UsageError, WeightsError
from eyespot.features.backbone import POOLING, Backbone, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import embed, signed_roots
from eyespot.shown import Brief, sentence

logger = logging.getLogger(__name__)

KEPT_FROM = 20_000
"""Photos from which on the rounded features are kept: fewer are read in a second."""
AT_ONCE = 256
"""Photos compared at once: their numbers stay in a core's cache, which is twice as fast."""

READERS = 4
TINY = np.float32(1e-30)
EMPTY = np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True, repr=False)
class Similar(Brief):
    """`similarity`: the cosine of the two photos' features (their signed roots, as heads see them),
    -1..1. `thumbnail`: a JPEG file."""

    path: str
    similarity: float
    thumbnail: bytes


class KeptFeatures:
    """Features as `write_features` wrote them: a Parquet file, or a folder of parts.

    `block`: which features are compared; the network's last if None. Raises DatasetError if there
    are none, UsageError if there is no such block.
    """

    def __init__(self, path: str | Path, block: str | None = None) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path_of(path)
        shown = printable(self.path)
        if not self.path.exists():
            raise DatasetError(f"There is no file {shown}. Check the spelling.")
        files = sorted(self.path.glob("part-*.parquet")) if self.path.is_dir() else [self.path]
        self._groups: list[tuple[Path, int, int]] = []
        digest = sha256()
        self._about: dict[str, Any] = {}
        try:
            for file in files:
                with pq.ParquetFile(file) as table:
                    facts, schema = table.metadata, table.schema_arrow
                    self._about = json.loads((schema.metadata or {})[ABOUT])
                    for group in range(facts.num_row_groups):
                        self._groups.append((file, group, facts.row_group(group).num_rows))
                status = file.stat()
                digest.update(f"{file.name} {status.st_size} {status.st_mtime_ns}\n".encode())
            blocks = tuple(map(str, self._about["blocks"]))
            self.block = block or blocks[-1]
        except (OSError, pa.ArrowException, KeyError, ValueError, IndexError, TypeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "") or "it is none"
            raise DatasetError(
                f"Expected a Parquet file that this eyespot's embed wrote, got {shown}: {reason}. "
                "Write one with: eyespot embed PHOTOS -o features.parquet"
            ) from error
        if self.block not in blocks or self.block not in schema.names:
            raise UsageError(f"There is no block {self.block!r}; there are {', '.join(blocks)}.")
        digest.update(self.block.encode())
        self._name = f"{self.path.name}.similar-{digest.hexdigest()[:16]}.npy"
        self._ends = np.cumsum([rows for *_, rows in self._groups])
        self._codes: NDArray[np.void] | None = None

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def backbone(self) -> Backbone:
        """The network the features are of. Raises WeightsError if it is not there, or another."""
        about, shown = self._about, printable(self.path)
        try:
            wanted, pooling = Backbone.from_dict(about), about.get("pooling")
        except ValueError as error:
            raise DatasetError(
                f"{shown} does not say which network its features are of. Write it again."
            ) from error
        if pooling != POOLING or not (
            wanted.own or load_backbone(wanted.name, fetch=False).extractor == wanted.extractor
        ):
            raise WeightsError(
                f"{shown} has features of {wanted.name} with other weights, or of another eyespot. "
                "Install the same, or write it again with: eyespot embed"
            )
        return wanted

    def nearest(self, features: NDArray[np.floating], k: int = 10) -> list[Similar]:
        """The `k` photos most like one, by the block's features [d] of it, most similar first.

        Raises UsageError if `k` is less than 1.
        """
        k = whole_number(k, "k is how many photos to find")
        query = _directions(np.asarray(features, dtype=np.float32)[None])[0]
        scores = self._scores(query)
        count = min(2 * k, len(scores))
        first = np.argpartition(-scores, count - 1)[:count]
        rows = [int(row) for row in sorted(first) if scores[row] > -np.inf]
        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(lambda row: self._exact(row, query), rows))
        return sorted(found, key=lambda near: -near.similarity)[:k]

    def _scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """About the cosines with all photos, less one number for all: float32 [n]; -inf where there
        are no features."""
        codes = self._codes = self._rounded() if self._codes is None else self._codes
        scores = np.empty(len(codes), np.float32)
        room = np.empty((AT_ONCE, len(query)), np.float32)
        for start in range(0, len(codes), AT_ONCE):
            part = codes["values"][start : start + AT_ONCE]
            rows = room[: len(part)]
            np.copyto(rows, part)
            np.dot(rows, query, out=scores[start : start + AT_ONCE])
        scale = codes["scale"]
        return np.where(scale > 0, scores * scale, np.float32(-np.inf))

    def _exact(self, row: int, query: NDArray[np.float32]) -> Similar:
        import pyarrow.parquet as pq

        number = int(np.searchsorted(self._ends, row, side="right"))
        path, group, rows = self._groups[number]
        with pq.ParquetFile(path) as file:
            table = file.read_row_group(group, columns=["path", "thumbnail", self.block])
        (entry,) = table.slice(row - (int(self._ends[number]) - rows), 1).to_pylist()
        values = _directions(np.array(entry[self.block], np.float32)[None])[0]
        return Similar(entry["path"], float(values @ query), entry["thumbnail"])

    # --- rounded features ------------------------------------------------------------------

    def _rounded(self) -> NDArray[np.void]:
        """A row a photo: `values`, int8 [d], and `scale`, which times these is the direction of its
        features less a middle one; 0 where there are none. Kept in a file if there are many."""
        if len(self) >= KEPT_FROM:
            kept = self.path.with_name(self._name)
            try:
                if not kept.exists():
                    self._keep(kept)
                return np.asarray(np.load(kept, mmap_mode="r", allow_pickle=False))
            except (OSError, ValueError) as error:
                logger.warning("%s cannot be kept, so each search reads all: %s", kept, error)
        return np.concatenate(list(self._coded()))

    def _keep(self, kept: Path) -> None:
        with atomic_writer(kept) as file:
            for number, part in enumerate(self._coded()):
                if number == 0:
                    descr = np.lib.format.dtype_to_descr(part.dtype)
                    header = {"descr": descr, "fortran_order": False, "shape": (len(self),)}
                    np.lib.format.write_array_header_1_0(file, header)
                file.write(part.tobytes())
        for old in kept.parent.iterdir():  # those of the file as it was
            if old.name.startswith(f"{self.path.name}.similar-") and old.name != kept.name:
                old.unlink(missing_ok=True)

    def _coded(self) -> Iterator[NDArray[np.void]]:
        middle: NDArray[np.float32] | None = None
        empty = 0  # photos without features before the first with some
        for known, directions in self._directions():
            if middle is None:
                if not known.any():
                    empty += len(known)
                    continue
                # What all have in common says nothing of who is nearer, and would take most of the
                # 8 bits. Any middle does, so that of the first thousand will.
                middle = directions.mean(axis=0)
                kind = np.dtype([("scale", "<f4"), ("values", "i1", (len(middle),))])
                yield np.zeros(empty, kind)
            codes = np.zeros(len(known), kind)
            if known.any():
                rest = directions - middle
                scale = np.maximum(np.abs(rest).max(axis=1) / 127, TINY)
                codes["scale"][known] = scale
                codes["values"][known] = np.rint(rest / scale[:, None])
            yield codes
        if middle is None:
            raise DatasetError(f"There are no features in {printable(self.path)}.")

    def _directions(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float32]]]:
        """Of each row group which photos have features, and the directions of these [m, d]."""
        import pyarrow.parquet as pq

        for path, group, _ in self._groups:
            with pq.ParquetFile(path) as file:
                column = file.read_row_group(group, columns=[self.block])[self.block]
            known = column.is_valid().to_numpy()
            values = column.combine_chunks().flatten().to_numpy()
            yield known, _directions(values.reshape(known.sum(), -1) if known.any() else EMPTY)


def similar(photo: Photo | PhotoLike, features: str | Path, k: int = 10) -> list[Similar]:
    """The `k` photos most similar to this one among those of a Parquet file, or a folder, that
    `eyespot embed` wrote; see `find_similar`."""
    return find_similar(photo, KeptFeatures(features), k)


def find_similar(photo: Photo | PhotoLike, kept: KeptFeatures, k: int = 10) -> list[Similar]:
    """The `k` photos most like this one, most similar first. Raises PhotoError if it cannot be
    read, WeightsError if the network of the features is not there."""
    photo, backbone = photo_of(photo), kept.backbone
    features, _, skipped = embed([photo], backbone, open_engine(backbone), FeatureCache())
    if skipped:
        raise PhotoError(f"{photo.name} cannot be used: {sentence(skipped[0].reason)}")
    return kept.nearest(features.values[0, features.layout[kept.block]], k)


def _directions(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit_rows(signed_roots(features))
