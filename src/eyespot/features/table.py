"""Features as a Parquet file, written as they come: memory is bounded however many there are."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eyespot.atomic import atomic_writer
from eyespot.data.photos import Photo, Skipped
from eyespot.features.backbone import Backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import Engine
from eyespot.features.extract import stream

ROWS = 1024


def write_features(
    photos: Sequence[Photo],
    backbone: Backbone,
    engine: Engine,
    cache: FeatureCache | None,
    path: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[int, list[Skipped]]:
    """Write `path`, sha256, size and a list of float32 for each block of features.

    Returns the number of rows and the photos that could not be read. Raises OSError as writing
    does; `path` is then as it was.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [("path", pa.string()), ("sha256", pa.string())]
    fields += [("width", pa.int32()), ("height", pa.int32())]
    fields += [(block, pa.list_(pa.float32())) for block in engine.layout]
    schema = pa.schema(fields)
    failed: list[Skipped] = []
    rows: list[dict[str, Any]] = []
    written = 0
    with atomic_writer(path) as file, pq.ParquetWriter(file, schema) as writer:
        for done, item in enumerate(stream(photos, backbone, engine, cache), start=1):
            name, record = photos[item.index].name, item.record
            if record is None:
                failed.append(Skipped(name, item.error))
            else:
                row: dict[str, Any] = {"path": name, "sha256": item.sha256}
                row |= {"width": record.width, "height": record.height}
                row |= {b: record.features[part] for b, part in engine.layout.items()}
                rows.append(row)
            if len(rows) == ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                written += len(rows)
                rows.clear()
            progress(done)
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema))
            written += len(rows)
    return written, failed
