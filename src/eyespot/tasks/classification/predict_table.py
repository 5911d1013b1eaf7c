"""Predictions for any number of photos as tables: memory is bounded, and an interrupted run
resumes."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.data.job_folder import Job, folder_for
from eyespot.data.parts import WHOLE, Parts, Share, Work, Written
from eyespot.data.photos import Photo
from eyespot.data.rows import write_rows
from eyespot.features.extract import Embedded, stream
from eyespot.tasks.classification.classifier import Classifier, Prediction

COLUMNS = ("path", "label", "probability", "unknown", "ood_score", "top", "error")


def write_predictions(
    classifier: Classifier,
    photos: Sequence[Photo],
    parquet: Path | None = None,
    csv: Path | None = None,
    *,
    show: Callable[[Iterator[Prediction]], object] = lambda predictions: None,
    top: int = 5,
    shards: bool = False,
    share: Share = WHOLE,
    progress: Work = lambda done, total: None,
) -> Written:
    """A row for each photo, in order: `path`, `label` (null if unknown), `probability`, `unknown`,
    `ood_score`, `top` (a JSON list of label and probability), and `error`: why there is no
    prediction, or null. Into a Parquet file, a CSV file, or both.

    `show` is called at the end with all predictions in order, those of earlier runs as well.

    The same call resumes an interrupted run. `shards`: `parquet` is a folder that keeps the parts
    as Parquet files. `share`: write one of N shares; the call without it adds the missing rows and
    joins the shares. Raises UsageError if there are parts of another run, OSError; the files are
    then unchanged, and the parts stay.
    """
    asked: Job = {"table": "predictions", "classifier": fingerprint(classifier), "top": top}

    def work(photos: Iterator[Photo]) -> Iterator[tuple[int, Embedded]]:
        found = stream(photos, classifier.backbone, classifier.engine)
        return ((item.index, item) for item in found)

    def table(rows: list[tuple[Photo, Embedded]]) -> Any:
        return _table(_predict(classifier, rows, top))

    outputs = [path for path in (parquet, csv) if path is not None]
    with (
        folder_for(outputs, shards=shards) as folder,
        Parts(folder, photos, asked, share) as parts,
    ):
        parts.fill(work, table, progress)
        written = parts.written()
        if share != WHOLE:
            return written
        if csv:
            rows = (row for table in parts.tables() for row in table.to_pylist())
            write_rows(rows, COLUMNS, csv)
        if parquet and not shards:
            parts.join(parquet)
        show(_predictions(parts.tables()))
        if not shards:
            parts.remove()
    return written


def fingerprint(classifier: Classifier) -> str:
    """A hash of everything that predictions depend on; the training photos are not part of it."""
    facts = {
        "classes": classifier.classes,
        "extractor": classifier.backbone.cache_key,
        "blocks": classifier.recipe.blocks,
        "scorer": classifier.scorer.kind,
        "temperature": classifier.temperature,
        "ood_threshold": classifier.ood_threshold,
    }
    digest, arrays = hashlib.sha256(json.dumps(facts).encode()), dict(classifier.scorer.to_arrays())
    if classifier.ood_scorer is not None:
        arrays["ood_score"] = classifier.ood_scorer.references
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _predict(
    classifier: Classifier, rows: Sequence[tuple[Photo, Embedded]], top: int
) -> Iterator[Prediction]:
    known = [(photo.name, item.record) for photo, item in rows if item.record is not None]
    found: Iterator[Prediction] = iter(())
    if known:
        features = np.stack([record.features for _, record in known])
        found = iter(classifier.predict_features([name for name, _ in known], features, top))
    for photo, item in rows:
        yield next(found) if item.record else Prediction(photo.name, error=item.error)


def _table(predictions: Iterable[Prediction]) -> Any:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    kinds = (text, text, number, pa.bool_(), number, text, text)
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    rows = [
        {
            "path": one.path,
            "label": one.label,
            "probability": None if one.error else one.probability,
            "unknown": None if one.error else one.unknown,
            "ood_score": one.ood_score,
            "top": json.dumps(one.to_dict()["top"], ensure_ascii=False),
            "error": one.error or None,
        }
        for one in predictions
    ]
    return pa.Table.from_pylist(rows, schema)


def _predictions(tables: Iterable[Any]) -> Iterator[Prediction]:
    """The predictions that `_table` wrote."""
    for table in tables:
        for row in table.to_pylist():
            top = tuple((entry["label"], entry["probability"]) for entry in json.loads(row["top"]))
            yield Prediction(
                row["path"], top, bool(row["unknown"]), row["ood_score"], row["error"] or ""
            )
