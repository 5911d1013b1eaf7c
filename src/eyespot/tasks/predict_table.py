"""Predictions for any number of photos as tables: memory is bounded, and an interrupted run
resumes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eyespot.data.job_folder import Job, folder_for
from eyespot.data.parts import WHOLE, Parts, Share, Work, Written
from eyespot.data.photos import Photo
from eyespot.data.rows import write_rows
from eyespot.tasks.protocol import Prediction, Task

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class TableWork:
    """How a model fills a table. `job`: all that its rows depend on.

    `read`: yields each photo's index and what `predict` needs of it, about in order. `predict`: the
    predictions of photos that were read, in their order.
    """

    job: Job
    read: Callable[[Iterator[Photo]], Iterator[tuple[int, Any]]]
    predict: Callable[[Sequence[tuple[Photo, Any]]], Iterable[Prediction]]


def write_predictions(
    model: Task,
    photos: Sequence[Photo],
    parquet: Path | None = None,
    csv: Path | None = None,
    *,
    options: Mapping[str, Any] = NO_OPTIONS,
    show: Callable[[Iterator[Any]], object] = lambda predictions: None,
    shards: bool = False,
    share: Share = WHOLE,
    progress: Work = lambda done, total: None,
) -> Written:
    """Write a row for each photo, in order, into a Parquet file, a CSV file, or both. Of a
    classifier: `path`, `label` (null if unknown), `probability`, `unknown`, `ood_score`, `top` (a
    JSON list of label and probability), and `error`: why there is no prediction, or null.

    `options`: of the model's `table_work`, such as a classifier's `top`. `show` is called at the
    end with all predictions in order, those of earlier runs as well.

    The same call resumes an interrupted run. `shards`: `parquet` is a folder that keeps the parts
    as Parquet files. `share`: write one of N shares; the call without it adds the missing rows and
    joins the shares. Raises UsageError if there are parts of another run, OSError; the files are
    then unchanged, and the parts stay.
    """
    table, kind = model.table_work(**options), model.prediction
    outputs = [path for path in (parquet, csv) if path is not None]
    with (
        folder_for(outputs, shards=shards) as folder,
        Parts(folder, photos, table.job, share) as parts,
    ):
        parts.fill(table.read, lambda rows: _arrow(kind, table.predict(rows)), progress)
        written = parts.written()
        if share != WHOLE:
            return written
        if csv:
            rows = (row for part in parts.tables() for row in part.to_pylist())
            write_rows(rows, list(kind.COLUMNS), csv)
        if parquet and not shards:
            parts.join(parquet)
        show(kind.from_row(row) for part in parts.tables() for row in part.to_pylist())
        if not shards:
            parts.remove()
    return written


def _arrow(kind: type[Prediction], predictions: Iterable[Prediction]) -> Any:
    import pyarrow as pa

    types = [(name, pa.type_for_alias(alias)) for name, alias in kind.COLUMNS.items()]
    return pa.Table.from_pylist([one.to_row() for one in predictions], pa.schema(types))
