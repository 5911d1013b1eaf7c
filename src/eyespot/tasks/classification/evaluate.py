"""Examine a classifier on labelled photos."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyespot.data.finding import Finding
from eyespot.data.given import Label, PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Skipped
from eyespot.errors import DatasetError
from eyespot.evaluation import Evaluation, evaluate, mistakes
from eyespot.features.cache import FeatureCache
from eyespot.features.extract import embed
from eyespot.progress import Progress, counting
from eyespot.shown import Brief
from eyespot.tasks.classification.classifier import Classifier, shortened


@dataclass(frozen=True, slots=True)
class Mistake:
    path: str
    label: str
    said: str
    probability: float


@dataclass(frozen=True, repr=False)
class Examination(Brief):
    """`refused`: share answered with "none of these". `mistakes`: the most confident first.
    `trained`: photos of each class that it was trained on, None if it keeps none. `known`: names
    of photos that the classifier was taught with, if it remembers. `findings`: how the
    collection was read."""

    evaluation: Evaluation
    refused: float
    mistakes: tuple[Mistake, ...]
    known: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    trained: tuple[int, ...] | None = None
    findings: tuple[Finding, ...] = ()


def examine(
    classifier: Classifier,
    source: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    progress: Progress = lambda stage, done, total: None,
) -> Examination:
    """Ask the classifier about labelled photos it has not seen.

    A collection with splits is examined on its test split. Raises DatasetError if a label is not
    one of the classifier's classes, or no photo can be read.
    """
    dataset = open_photos(source, labels, least_classes=1)
    photos = [p for p in dataset.photos if p.split == "test"] or list(dataset.photos)
    foreign = sorted({p.label or "" for p in photos} - set(classifier.classes))
    if foreign:
        raise DatasetError(
            f"The classifier knows {shortened(classifier.classes)}; these photos are also labelled "
            f"{shortened(foreign)}. Rename or remove those folders."
        )
    step = counting(progress, "Looking at photos", len(photos))
    cache = FeatureCache()
    features, kept, unreadable = embed(photos, classifier.backbone, classifier.engine, cache, step)
    cache.close()
    if not kept:
        raise DatasetError(
            f"None of the {len(photos)} photos could be used, the first because: "
            f"{unreadable[0].reason}."
        )
    truth = np.array([classifier.classes.index(photos[i].label or "") for i in kept])
    probabilities, familiarity = classifier.judge(features.values)
    evaluation = evaluate(probabilities, truth, classifier.classes)
    taught = (
        set(classifier.training_photos.features.sha256) if classifier.training_photos else set()
    )
    return Examination(
        evaluation=evaluation,
        refused=float((familiarity < classifier.threshold).mean()),
        mistakes=tuple(
            Mistake(
                features.names[i],
                classifier.classes[truth[i]],
                classifier.classes[probabilities[i].argmax()],
                float(probabilities[i].max()),
            )
            for i in mistakes(probabilities, truth)
        ),
        known=tuple(
            name for name, sha in zip(features.names, features.sha256, strict=True) if sha in taught
        ),
        skipped=(*dataset.skipped, *unreadable),
        trained=_counts(classifier),
        findings=dataset.findings,
    )


def _counts(classifier: Classifier) -> tuple[int, ...] | None:
    if classifier.training_photos is None:
        return None
    return tuple(
        np.bincount(classifier.training_photos.labels, minlength=len(classifier.classes)).tolist()
    )
