"""Write features of any number of photos to a Parquet file, in bounded memory and resumable."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.data.job_folder import folder_for
from eyespot.data.parquet import ABOUT
from eyespot.data.parts import WHOLE, Parts, Share, Work, Written
from eyespot.data.photos import Photo
from eyespot.features.backbone import POOLING, Backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import Engine
from eyespot.features.extract import Embedded, stream

COLUMNS = ("path", "sha256", "width", "height", "thumbnail")
"""The first columns; the features of the network's blocks follow."""


def write_features(
    photos: Sequence[Photo],
    backbone: Backbone,
    engine: Engine,
    cache: FeatureCache | None,
    path: Path,
    *,
    shards: bool = False,
    share: Share = WHOLE,
    progress: Work = lambda done, total: None,
) -> Written:
    """Write a row for each photo, in order.

    Columns: `path`, `sha256`, `width`, `height`, `thumbnail` (a JPEG file), a list of float32 for
    each block of features, and `error`: why there are none, or null.

    The same call resumes an interrupted run. `shards`: `path` is a folder that keeps the parts as
    Parquet files. `share`: write one of N shares; the call without it adds missing parts and joins
    all. If no photo can be read, nothing is written. Raises UsageError if the folder has parts of
    another table, OSError if files cannot be written; `path` then stays as it was, and so do the
    parts.
    """
    schema = _schema(backbone, engine.layout)

    def work(photos: Iterator[Photo]) -> Iterator[tuple[int, Embedded]]:
        return ((item.index, item) for item in stream(photos, backbone, engine, cache))

    def table(rows: list[tuple[Photo, Embedded]]) -> Any:
        return _table(rows, engine.layout, schema)

    asked = {"table": "features", "network": backbone.cache_key, "blocks": ",".join(engine.layout)}
    with (
        folder_for([path], shards=shards) as folder,
        Parts(folder, photos, asked, share) as parts,
    ):
        parts.fill(work, table, progress)
        written = parts.written()
        nothing = written.failures == written.photos
        if share == WHOLE and not shards and not nothing:
            parts.join(path)
        if share == WHOLE and (nothing or not shards):
            parts.remove()
    return written


def _schema(backbone: Backbone, layout: dict[str, slice]) -> Any:
    import pyarrow as pa

    about = {
        "name": backbone.name,
        "sha256": backbone.sha256,
        "own": backbone.own,
        "blocks": list(backbone.blocks),
        "pooling": POOLING,
        "preprocessing": backbone.preprocessing.to_dict(),
    }
    kinds = [pa.string(), pa.string(), pa.int32(), pa.int32(), pa.binary()]
    fields = [
        *zip(COLUMNS, kinds, strict=True),
        *((block, pa.list_(pa.float32())) for block in layout),
        ("error", pa.string()),
    ]
    return pa.schema(fields, metadata={ABOUT: json.dumps(about).encode()})


def _table(rows: list[tuple[Photo, Embedded]], layout: dict[str, slice], schema: Any) -> Any:
    import pyarrow as pa

    records = [item.record for _, item in rows]
    known = np.array([record is not None for record in records])
    width = max(columns.stop for columns in layout.values())
    features = np.zeros((len(rows), width), np.float32)
    if known.any():
        features[known] = _rounded(np.stack([r.features for r in records if r is not None]))
    columns = {
        "path": [photo.name for photo, _ in rows],
        "sha256": [item.sha256 or None for _, item in rows],
        "width": [record and record.width for record in records],
        "height": [record and record.height for record in records],
        "thumbnail": [record and record.thumbnail for record in records],
        "error": [item.error or None for _, item in rows],
    }
    for block, part in layout.items():
        size = part.stop - part.start
        values = features[known, part]
        # A null row has no values, so that no reader uses zeros as features.
        offsets = np.concatenate([[0], np.cumsum(np.where(known, size, 0))]).astype(np.int32)
        columns[block] = pa.ListArray.from_arrays(
            pa.array(offsets), pa.array(values.ravel()), mask=pa.array(~known)
        )
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _rounded(features: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 rounded to the cache's precision, so that cached and computed photos get the same
    features."""
    return features.astype(np.float16).astype(np.float32)
