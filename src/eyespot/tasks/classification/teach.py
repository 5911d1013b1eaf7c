"""Train a classifier: open, audit, embed, split, select, fit, evaluate."""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from eyespot.data.given import Label, PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.features.backbone import DEFAULT
from eyespot.progress import Progress
from eyespot.tasks.classification.audit import audit_photos
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.embed import embed_photos
from eyespot.tasks.classification.evaluate import EVALUATING, evaluate_fitted
from eyespot.tasks.classification.fit import fit_classifier
from eyespot.tasks.classification.options import TeachOptions
from eyespot.tasks.classification.result import TeachResult
from eyespot.tasks.classification.select import select_method
from eyespot.tasks.classification.split import split_photos


def teach(
    photos: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    method: str = "auto",
    budget: float | None = None,
    backbone: str = DEFAULT,
    onto: Classifier | None = None,
    forget_photos: bool = False,
    use_cache: bool = True,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> TeachResult:
    """Train a classifier and evaluate it on held-out photos.

    `photos`, `labels`, and the columns: as `open_photos` takes them, or a Dataset. `method`: auto,
    knn, prototypes, logistic, svm, or finetune, which also evaluates heads and selects one if its
    predictions are as good. `budget`: seconds for model selection (the first candidate always
    runs); None plans it from the numbers of photos and classes, so that the same photos give the
    same classifier on an idle and on a loaded machine. From 60 on `auto` fine-tunes as well.
    `backbone`: a network of the zoo, or a file that `eyespot train` wrote. `onto`: a classifier
    whose training photos are added, without reading them again. `forget_photos`: keep no features
    of the photos in the classifier. Raises DatasetError, UsageError, WeightsError.
    """
    options = TeachOptions(method, budget, backbone, onto, forget_photos, use_cache, progress)
    start = time.perf_counter()
    dataset = open_photos(
        photos,
        labels,
        least_classes=1 if onto else 2,
        path_column=path_column,
        label_column=label_column,
        split_column=split_column,
    )
    opened = time.perf_counter()
    embedded = embed_photos(dataset, options)
    audited_from = time.perf_counter()
    audited = audit_photos(embedded)
    split = split_photos(
        [photo.split for photo in embedded.photos], audited.labels, audited.duplicates.group
    )
    selection = select_method(audited, split, options)
    fitted_from = time.perf_counter()
    progress(EVALUATING, 0, 1)
    fitted = fit_classifier(audited, selection, options)
    result = evaluate_fitted(audited, split, selection, fitted)
    progress(EVALUATING, 1, 1)
    end = time.perf_counter()
    seconds = {
        "load": opened - start + embedded.seconds["load"],
        "embed": embedded.seconds["embed"],
        "select": fitted_from - audited_from,
        "evaluate": end - fitted_from,
        "total": end - start,
    }
    return replace(result, seconds=seconds)
