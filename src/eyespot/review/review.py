"""A review of a collection: what its photos are like, and which of them want looking at."""

import time
from dataclasses import dataclass
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
from eyespot.evaluation.outliers import find_outliers
from eyespot.features.backbone import DEFAULT, Backbone, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import Features, embed
from eyespot.heads.ood import out_of_fold_ood_scores
from eyespot.progress import Progress, counting
from eyespot.shown import Brief
from eyespot.tasks.classification.cross_validate import cross_validate_heads
from eyespot.tasks.classification.policy import candidates, similarity
from eyespot.tasks.classification.split import TrainingSet, split_photos

PLANTED_SHARE = 0.05
LEAST_PLANTED = 10
"""Fewer planted labels say next to nothing."""


@dataclass(frozen=True)
class LabelCheck:
    """`asked`: photos about whose label a head that never saw them was asked. `planted`: the same
    with some labels made wrong on purpose; None for few photos."""

    label_issues: list[LabelIssue]
    asked: int
    method: str
    planted: PlantedTest | None


@dataclass(frozen=True, repr=False)
class Review(Brief):
    """All that was found out about n photos.

    `classes`, `labels` (int64 [n]): of labelled photos; no classes and -1 of others. `ood_scores`:
    float32 [n], see `eyespot.heads.ood`, against photos that are not duplicates. `outliers`: the
    photos least like any other, the most unlike first. `check`: None without two classes.
    `seconds`: load, embed, explore, check labels, total. `root`: the folder, if it is one, from
    which `skipped` may name files.
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

    @property
    def last(self) -> NDArray[np.float32]:
        """Last-layer features float32 [n, d]."""
        return self.features.inputs((self.backbone.last,))


def review(
    source: str | Path | Dataset,
    *,
    root: Path | None = None,
    backbone: str = DEFAULT,
    use_cache: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Review:
    """Look at all photos of a collection, labelled or not.

    `source`: a Dataset, what `open_photos` takes a path of, or a folder without class folders.
    `root`: the path that a Dataset was opened from. Nothing is changed. Raises DatasetError,
    UsageError, WeightsError.
    """
    start = time.perf_counter()
    if isinstance(source, Dataset):
        dataset = source
    else:
        root = Path(source)
        dataset = open_any(root)
    body = load_backbone(backbone)
    engine = open_engine(body)
    loaded = time.perf_counter()
    step = counting(progress, "Embedding photos", len(dataset.photos))
    cache = FeatureCache() if use_cache else None
    features, kept, unreadable = embed(dataset.photos, body, engine, cache, step)
    if cache is not None:
        cache.close()
    skipped = (*dataset.skipped, *unreadable)
    if not kept:
        raise DatasetError(
            f"None of the {len(dataset.photos)} photos can be read, the first because: "
            f"{unreadable[0].reason if unreadable else 'there is none'}."
        )
    embedded = time.perf_counter()
    photos = tuple(dataset.photos[index] for index in kept)
    classes = Dataset(photos).classes
    place = {name: number for number, name in enumerate(classes)}
    labels = np.array([place.get(photo.label or "", -1) for photo in photos], dtype=np.int64)
    duplicates = find_duplicates(
        features.sha256, features.dhash, features.thumbnails, [photo.group for photo in photos]
    )
    findings = audit(features.names, [photo.label or "" for photo in photos], duplicates)
    if not classes:  # without labels there are no classes to be small
        findings = [finding for finding in findings if finding.kind.endswith("duplicates")]
    findings = worst_first([*dataset.findings, *findings, *misnamed(photos)])
    last = features.inputs((body.last,))
    progress("Finding groups", 0, 1)
    clusters = find_clusters(last)
    progress("Finding groups", 1, 1)
    apart = folds(fold_of(np.zeros(len(photos), np.int64), duplicates.group, FOLDS))
    alone = len(apart) < 2  # all are copies of one picture
    ood_scores = (
        np.full(len(photos), np.nan, np.float32)
        if alone
        else out_of_fold_ood_scores(last, labels, apart)
    )
    explored = time.perf_counter()
    check = None
    if len(classes) > 1 and not alone:
        alike = similarity(features, body)
        check = _check_labels(features, labels, len(classes), duplicates.group, alike, progress)
    end = time.perf_counter()
    return Review(
        photos=photos,
        skipped=skipped,
        features=features,
        backbone=body,
        classes=classes,
        labels=labels,
        duplicates=duplicates,
        findings=findings,
        clusters=clusters,
        ood_scores=ood_scores,
        outliers=find_outliers(ood_scores),
        check=check,
        seconds={
            "load": loaded - start,
            "embed": embedded - loaded,
            "explore": explored - embedded,
            "check labels": end - explored,
            "total": end - start,
        },
        root=root if root and is_folder(root) else None,
    )


def open_any(
    path: Path,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
) -> Dataset:
    """A labelled collection, or the photos below a folder that has not two class folders, without
    labels. The columns are those of `open_photos`. Raises DatasetError if there is no photo,
    UsageError for a column that there is not."""
    try:
        dataset = open_photos(
            path,
            least_classes=1,
            path_column=path_column,
            label_column=label_column,
            split_column=split_column,
        )
    except DatasetError:
        if not is_folder(path):
            raise
        return find_photos(path)
    on_disk = isinstance(dataset.photos[0].source, FileSource)
    if len(dataset.classes) < 2 and on_disk and is_folder(path):
        return find_photos(path)
    return dataset


def _check_labels(
    features: Features,
    labels: NDArray[np.int64],
    classes: int,
    groups: NDArray[np.int64],
    alike: float | None,
    progress: Progress,
) -> LabelCheck:
    """Ask heads about photos that they never saw, as teaching does; given splits play no part."""
    split = split_photos([None] * len(labels), labels, groups)
    train = TrainingSet(features, labels, classes, split)
    order = candidates("auto", train.median_per_class, alike)
    heads, _ = cross_validate_heads(order, train, None, progress)
    best, honest = nested_selection([head.found for head in heads], labels, split.parts)
    chosen = heads[best]
    test = None
    if round(PLANTED_SHARE * len(labels)) >= LEAST_PLANTED:
        progress("Testing the check", 0, 1)
        planted = plant_wrong_labels(labels, classes, PLANTED_SHARE)
        found = cross_validate(
            chosen.prepared,
            planted,
            classes,
            split.repeats,
            split.parts,
            (chosen.found.hyperparameter,),
        )
        asked = ~np.isnan(found.probabilities[:, 0])
        label_issues = find_label_issues(found.probabilities, planted)
        test = measure_planted(label_issues, np.where(asked, labels, planted), planted)
        progress("Testing the check", 1, 1)
    asked_count = int((~np.isnan(honest[:, 0])).sum())
    label_issues = sorted(find_label_issues(honest, labels), key=lambda found: -found.confidence)
    return LabelCheck(label_issues, asked_count, chosen.candidate.name, test)
