"""Step 6 of `teach`: metrics on held-out photos. And `evaluate`: a classifier on other photos."""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.data.finding import Finding
from eyespot.data.given import Label, PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Photo
from eyespot.errors import DatasetError
from eyespot.evaluation import evaluate as evaluate_predictions
from eyespot.evaluation import find_label_issues, fit_rejection, measure_rejection
from eyespot.features.cache import FeatureCache
from eyespot.features.extract import Features, embed
from eyespot.progress import Progress, counting
from eyespot.shown import shortened
from eyespot.tasks.classification.audit import AuditedPhotos
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.embed import EMBEDDING
from eyespot.tasks.classification.fit import Fitted
from eyespot.tasks.classification.result import EvaluateResult, TeachResult
from eyespot.tasks.classification.select import Selection
from eyespot.tasks.classification.split import Split

EVALUATING = "Evaluating"
"""The stage of progress."""


def evaluate_fitted(
    audited: AuditedPhotos, split: Split, selection: Selection, fitted: Fitted
) -> TeachResult:
    """Metrics of the out-of-fold predictions, or, where there is one, of the test split."""
    embedded, labels, train = audited.embedded, audited.labels, selection.train
    probabilities = np.full((len(labels), len(audited.classes)), np.nan)
    probabilities[split.train] = selection.probabilities
    evaluated_on, evaluated = split.evaluated_on, probabilities
    if len(split.test):
        probabilities[split.test] = _predict_test(audited, split, fitted.classifier)
        evaluated = np.full_like(probabilities, np.nan)
        evaluated[split.test] = probabilities[split.test]
        evaluated_on = "the test split"
    groups = audited.duplicates.group
    evaluation = evaluate_predictions(evaluated, labels, audited.classes, groups)
    correct = selection.probabilities.argmax(axis=1) == train.labels
    rejection = fit_rejection(fitted.ood_scores, correct, fitted.hidden)
    method = selection.selected.candidate.name
    metrics = {
        **evaluation.to_metrics(),
        "evaluated_on": evaluated_on,
        "method": method,
        "source": [finding.message for finding in embedded.dataset.findings],
        "rejection": rejection.to_dict(),
    }
    return TeachResult(
        classifier=replace(
            fitted.classifier, ood_threshold=rejection.ood_threshold, metrics=metrics
        ),
        evaluation=evaluation,
        evaluated_on=evaluated_on,
        dataset=replace(embedded.dataset, photos=tuple(embedded.photos)),
        skipped=embedded.skipped,
        findings=[*audited.findings, *_dropped(audited, split)],
        duplicates=audited.duplicates,
        labels=labels,
        trained=np.bincount(train.labels, minlength=train.classes),
        probabilities=probabilities,
        features=embedded.features,
        label_issues=find_label_issues(probabilities, labels),
        rejection=rejection,
        method=method,
        seconds=embedded.seconds,
        photos_per_second=embedded.photos_per_second,
        reason=selection.reason,
        candidates=selection.results,
        omitted=selection.omitted,
        learning_curve=fitted.learning_curve,
    )


def _predict_test(
    audited: AuditedPhotos, split: Split, classifier: Classifier
) -> NDArray[np.float64]:
    """Probabilities [m, K] of the test photos. A fine-tuned network embeds them anew."""
    embedded = audited.embedded
    features: NDArray[np.floating] = embedded.features.values[split.test]
    if classifier.backbone != embedded.backbone:
        photos = [embedded.photos[index] for index in split.test]
        features = embed(photos, classifier.backbone, classifier.engine)[0].values
    return classifier.score_features(features)[0]


def _dropped(audited: AuditedPhotos, split: Split) -> list[Finding]:
    if not split.dropped:
        return []
    names = audited.embedded.features.names
    message = (
        f"{len(split.dropped):,} training photos duplicate test photos; the classifier was not "
        "trained on them."
    )
    advice = "Remove the duplicates from one of the two splits."
    dropped = tuple(names[index] for index in split.dropped)
    return [Finding("duplicates across splits", "warning", message, advice, dropped)]


def evaluate(
    classifier: Classifier,
    photos: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> EvaluateResult:
    """Evaluate a classifier on labelled photos; on the test split if there is one.

    `photos`, `labels`, and the columns: as `open_photos` takes them. Raises DatasetError if a
    label is not one of the classifier's classes, or no photo can be read.
    """
    start = time.perf_counter()
    dataset = open_photos(
        photos,
        labels,
        least_classes=1,
        path_column=path_column,
        label_column=label_column,
        split_column=split_column,
    )
    chosen = _evaluated_photos(classifier, dataset)
    opened = time.perf_counter()
    step = counting(progress, EMBEDDING, len(chosen))
    features, kept, unreadable = embed(
        chosen, classifier.backbone, classifier.engine, FeatureCache(), step
    )
    if not kept:
        raise DatasetError(
            f"None of the {len(chosen):,} photos could be used, the first because: "
            f"{unreadable[0].reason}."
        )
    embedded = time.perf_counter()
    progress(EVALUATING, 0, 1)
    read = replace(
        dataset,
        photos=tuple(chosen[index] for index in kept),
        skipped=(*dataset.skipped, *unreadable),
    )
    result = _evaluate_features(classifier, read, features)
    progress(EVALUATING, 1, 1)
    end = time.perf_counter()
    seconds = {"load": opened - start, "embed": embedded - opened, "evaluate": end - embedded}
    return replace(
        result,
        seconds={**seconds, "total": end - start},
        photos_per_second=len(kept) / max(embedded - opened, 1e-9),
    )


def _evaluate_features(
    classifier: Classifier, dataset: Dataset, features: Features
) -> EvaluateResult:
    """The result for photos with these features, without the times."""
    labels = np.array([classifier.classes.index(photo.label or "") for photo in dataset.photos])
    duplicates = features.duplicates([photo.group for photo in dataset.photos])
    probabilities, ood_scores = classifier.score_features(features.values)
    correct = probabilities.argmax(axis=1) == labels
    training, trained, known = classifier.training_photos, None, list[str]()
    if training is not None:
        trained = np.bincount(training.labels, minlength=len(classifier.classes))
        hashes = set(training.features.sha256)
        pairs = zip(features.names, features.sha256, strict=True)
        known = [name for name, sha256 in pairs if sha256 in hashes]
    return EvaluateResult(
        classifier=classifier,
        evaluation=evaluate_predictions(
            probabilities, labels, classifier.classes, duplicates.group
        ),
        evaluated_on="these photos" if known or training is None else "held-out photos",
        dataset=dataset,
        skipped=dataset.skipped,
        findings=list(dataset.findings),
        duplicates=duplicates,
        labels=labels,
        trained=trained,
        probabilities=probabilities,
        features=features,
        label_issues=find_label_issues(probabilities, labels),
        rejection=measure_rejection(classifier.ood_threshold, ood_scores, correct),
        method=f"{classifier.recipe.method} on {classifier.backbone.name}",
        known=tuple(known),
    )


def _evaluated_photos(classifier: Classifier, dataset: Dataset) -> list[Photo]:
    """The test split, or all photos. Raises DatasetError for labels that are not classes."""
    photos = [photo for photo in dataset.photos if photo.split == "test"] or list(dataset.photos)
    foreign = sorted({photo.label or "" for photo in photos} - set(classifier.classes))
    if foreign:
        raise DatasetError(
            f"Expected photos of the classes {shortened(classifier.classes)}; found also "
            f"{shortened(foreign)}. Rename or remove those folders."
        )
    return photos
