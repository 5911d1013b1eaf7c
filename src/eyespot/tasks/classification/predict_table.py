"""A classifier's part in tables of predictions."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eyespot.data.job_folder import Job
from eyespot.data.photos import Photo
from eyespot.features.extract import Embedded, stream
from eyespot.tasks.classification.prediction import Prediction
from eyespot.tasks.predict_table import TableWork

if TYPE_CHECKING:
    from eyespot.tasks.classification.predictor import Predictor


def table_work(classifier: "Predictor", top: int = 5) -> TableWork:
    """For `predict_table.write_predictions`. `top`: the number of classes in its column."""

    def read(photos: Iterator[Photo]) -> Iterator[tuple[int, Embedded]]:
        found = stream(photos, classifier.backbone, classifier.engine)
        return ((item.index, item) for item in found)

    def predict(rows: Sequence[tuple[Photo, Embedded]]) -> Iterator[Prediction]:
        return _predict(classifier, rows, top)

    job: Job = {"table": "predictions", "classifier": fingerprint(classifier), "top": top}
    return TableWork(job, read, predict)


def fingerprint(classifier: "Predictor") -> str:
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
    classifier: "Predictor", rows: Sequence[tuple[Photo, Embedded]], top: int
) -> Iterator[Prediction]:
    known = [(photo.name, item.record) for photo, item in rows if item.record is not None]
    found: Iterator[Prediction] = iter(())
    if known:
        features = np.stack([record.features for _, record in known])
        found = iter(classifier.predict_features([name for name, _ in known], features, top))
    for photo, item in rows:
        yield next(found) if item.record else Prediction(photo.name, error=item.error)
