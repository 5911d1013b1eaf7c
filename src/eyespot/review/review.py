"""Review a dataset: duplicates, groups, outliers and label issues."""

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.data.audit import audit, misnamed
from eyespot.data.duplicates import Duplicates, find_duplicates
from eyespot.data.finding import Finding, worst_first
from eyespot.data.folders import find_photos, is_folder
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped
from eyespot.data.splits import FOLDS, fold_of, folds
from eyespot.errors import DatasetError
from eyespot.evaluation import LabelIssue, find_label_issues
from eyespot.evaluation.clusters import Clusters, find_clusters
from eyespot.evaluation.crossval import cross_validate, nested_selection
from eyespot.evaluation.label_issues import PlantedTest, measure_planted, plant_wrong_labels
from eyespot.evaluation.rejection import find_outliers
from eyespot.features.backbone import DEFAULT, Backbone, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import Features, embed
from eyespot.heads.ood import out_of_fold_ood_scores
from eyespot.progress import Progress, counting
from eyespot.shown import Brief
from eyespot.tasks.classification.cross_validate import ValidatedHead, cross_validate_heads
from eyespot.tasks.classification.policy import candidates, similarity
from eyespot.tasks.classification.split import TrainingSet, split_photos

PLANTED_SHARE = 0.05
LEAST_PLANTED = 10
"""With fewer planted labels, recall and precision say nothing."""
STAGES = ("load", "embed", "explore", "check labels")


@dataclass(frozen=True)
class LabelCheck:
    """`compared`: photos whose label is compared with an out-of-fold prediction. `planted`: the
    same check after some labels were replaced by wrong ones; None for few photos."""

    label_issues: list[LabelIssue]
    compared: int
    method: str
    planted: PlantedTest | None


@dataclass(frozen=True, repr=False)
class Review(Brief):
    """The review of n photos.

    `classes`, `labels` (int64 [n]): of labelled photos; otherwise no classes, and -1.
    `ood_scores`: float32 [n], see `eyespot.heads.ood`, against photos that are not duplicates.
    `outliers`: the photos with the highest OOD scores, in that order. `check`: None
    without two classes. `seconds`: of STAGES, and in total. `root`: the folder, if the source is
    one; names in `skipped` are relative to it.
    """

    photos: tuple[Photo, ...]
    skipped: tuple[Skipped, ...]
    features: Features
    backbone: Backbone
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    duplicates: Duplicates
    findings: list[Finding]
    clusters: Clusters
    ood_scores: NDArray[np.float32]
    outliers: list[int]
    check: LabelCheck | None
    seconds: dict[str, float]
    root: Path | None = None


def review(
    source: str | Path | Dataset,
    *,
    root: Path | None = None,
    backbone: str = DEFAULT,
    use_cache: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Review:
    """Review all photos of a dataset, labelled or not. Changes no file.

    `source`: a Dataset, a path that `open_photos` takes, or a folder without class folders.
    `root`: the path that a Dataset was opened from. Raises DatasetError, UsageError, WeightsError.
    """
    times = [time.perf_counter()]
    if not isinstance(source, Dataset):
        root = Path(source)
        source = open_any(root)
    body = load_backbone(backbone)
    engine = open_engine(body)
    times.append(time.perf_counter())
    photos, features, skipped = _embed(source, body, engine, use_cache, progress)
    times.append(time.perf_counter())
    classes = Dataset(photos).classes
    place = {name: number for number, name in enumerate(classes)}
    labels = np.array([place.get(photo.label or "", -1) for photo in photos], dtype=np.int64)
    duplicates = find_duplicates(
        features.sha256, features.dhash, features.thumbnails, [photo.group for photo in photos]
    )
    findings = audit(features.names, [photo.label or "" for photo in photos], duplicates)
    if not classes:  # class sizes need labels
        findings = [finding for finding in findings if finding.kind.endswith("duplicates")]
    last = features.inputs((body.last,))
    progress("Finding groups", 0, 1)
    clusters = find_clusters(last)
    progress("Finding groups", 1, 1)
    ood_scores = _ood_scores(last, labels, duplicates.group)
    times.append(time.perf_counter())
    check = None
    if len(classes) > 1 and not np.isnan(ood_scores).all():
        alike = similarity(features, body)
        check = _check_labels(features, labels, len(classes), duplicates.group, alike, progress)
    times.append(time.perf_counter())
    seconds = dict(zip(STAGES, (end - start for start, end in pairwise(times)), strict=True))
    return Review(
        photos=photos,
        skipped=skipped,
        features=features,
        backbone=body,
        classes=classes,
        labels=labels,
        duplicates=duplicates,
        findings=worst_first([*source.findings, *findings, *misnamed(photos)]),
        clusters=clusters,
        ood_scores=ood_scores,
        outliers=find_outliers(ood_scores),
        check=check,
        seconds=seconds | {"total": times[-1] - times[0]},
        root=root if root and is_folder(root) else None,
    )


def open_any(path: Path, **columns: str | None) -> Dataset:
    """Open a labelled dataset, or, without labels, a folder that has less than two class folders.

    `columns`: as `open_photos` takes them. Raises DatasetError without any photo, UsageError for
    an unknown column.
    """
    try:
        dataset = open_photos(path, None, least_classes=1, **columns)
    except DatasetError:
        if not is_folder(path):
            raise
        return find_photos(path)
    on_disk = isinstance(dataset.photos[0].source, FileSource)
    if len(dataset.classes) < 2 and on_disk and is_folder(path):
        return find_photos(path)
    return dataset


def _embed(
    dataset: Dataset, body: Backbone, engine: Engine, use_cache: bool, progress: Progress
) -> tuple[tuple[Photo, ...], Features, tuple[Skipped, ...]]:
    """The photos that can be read, their features, and the skipped ones."""
    step = counting(progress, "Embedding photos", len(dataset.photos))
    cache = FeatureCache() if use_cache else None
    features, kept, unreadable = embed(dataset.photos, body, engine, cache, step)
    if cache is not None:
        cache.close()
    if not kept:
        first = f" The first: {unreadable[0].reason}." if unreadable else ""
        raise DatasetError(f"None of the {len(dataset.photos):,} photos can be read.{first}")
    photos = tuple(dataset.photos[index] for index in kept)
    return photos, features, (*dataset.skipped, *unreadable)


def _ood_scores(
    last: NDArray[np.float32], labels: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Out-of-fold OOD scores, float32 [n]; NaN if all photos are duplicates of one image."""
    apart = folds(fold_of(np.zeros(len(labels), np.int64), group, FOLDS))
    if len(apart) < 2:
        return np.full(len(labels), np.nan, np.float32)
    return out_of_fold_ood_scores(last, labels, apart)


def _check_labels(
    features: Features,
    labels: NDArray[np.int64],
    classes: int,
    groups: NDArray[np.int64],
    alike: float | None,
    progress: Progress,
) -> LabelCheck:
    """Compare labels with out-of-fold predictions, as teaching does; given splits are ignored."""
    split = split_photos([None] * len(labels), labels, groups)
    train = TrainingSet(features, labels, classes, split)
    order = candidates("auto", train.median_per_class, alike)
    heads, _ = cross_validate_heads(order, train, None, progress)
    best, nested = nested_selection([head.found for head in heads], labels, split.parts)
    chosen = heads[best]
    return LabelCheck(
        sorted(find_label_issues(nested, labels), key=lambda issue: -issue.confidence),
        int((~np.isnan(nested[:, 0])).sum()),
        chosen.candidate.name,
        _planted_test(chosen, train, progress),
    )


def _planted_test(
    chosen: ValidatedHead, train: TrainingSet, progress: Progress
) -> PlantedTest | None:
    """Measure the check on labels of which some were replaced by wrong ones."""
    labels, classes, split = train.labels, train.classes, train.split
    if round(PLANTED_SHARE * len(labels)) < LEAST_PLANTED:
        return None
    progress("Testing the label check", 0, 1)
    planted = plant_wrong_labels(labels, classes, PLANTED_SHARE)
    found = cross_validate(
        chosen.prepared,
        planted,
        classes,
        split.repeats,
        split.parts,
        (chosen.found.hyperparameter,),
    )
    label_issues = find_label_issues(found.probabilities, planted)
    predicted = ~np.isnan(found.probabilities[:, 0])
    progress("Testing the label check", 1, 1)
    return measure_planted(label_issues, np.where(predicted, labels, planted), planted)
