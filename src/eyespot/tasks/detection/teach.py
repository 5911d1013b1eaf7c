"""Train a detector: open, embed, split, fit, evaluate."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from eyespot.data.boxes.dataset import BoxDataset
from eyespot.data.boxes.open import open_boxes
from eyespot.data.duplicates import Duplicates, find_duplicates
from eyespot.data.finding import Finding
from eyespot.data.photos import Skipped
from eyespot.errors import DatasetError
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.dense import pyramid
from eyespot.features.own_weights import keep_trained
from eyespot.progress import counting
from eyespot.shown import counted, listed
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.embed import Embedded, embed_photos
from eyespot.tasks.detection.engine import maps_engine
from eyespot.tasks.detection.manifest import start_of
from eyespot.tasks.detection.measure import measure
from eyespot.tasks.detection.method import AUTO, DENSE, FINETUNE, method_called
from eyespot.tasks.detection.options import TeachOptions
from eyespot.tasks.detection.out_of_fold import Fitted, TrainingPhotos, fit_and_detect
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.select import Selected, select_method
from eyespot.tasks.detection.split import Split, split_photos

EMBEDDING, EVALUATING = "Embedding photos", "Evaluating"
MOST_MIRRORED = 1_000
"""Photos up to which mirror images are embedded, too: maps of one take 0.8 MB of the cache."""


def teach(photos: Any, options: TeachOptions | None = None) -> DetectionTeachResult:
    """Train a detector and evaluate it on held-out photos.

    `photos`: as `open_boxes` takes them. Raises DatasetError, UsageError, WeightsError.
    """
    options = options or TeachOptions()
    if options.method != AUTO:
        method_called(options.method)
    start = time.perf_counter()
    dataset = _open(photos)
    classes = dataset.classes
    opened = time.perf_counter()
    backbone = load_backbone(options.backbone)
    stages, channels = pyramid(backbone)
    backbone = replace(backbone, blocks=tuple(f"{stage}.map" for stage in stages))
    embedded, skipped = _embed(dataset, backbone, channels, options)
    embedded_at = time.perf_counter()
    duplicates = _duplicates(embedded)
    split = split_photos(embedded, duplicates.group.tolist())
    training = TrainingPhotos(embedded, backbone, len(classes))
    selected = Selected(options.method)
    if options.method == AUTO:
        groups = duplicates.group.tolist()
        selected = select_method(training, split, groups, options.progress)
    fitted = fit_and_detect(training, split, selected.method, options.progress, selected.held_out)
    held_out = fitted.held_out
    fitted_at = time.perf_counter()
    options.progress(EVALUATING, 0, 1)
    measured = measure(
        held_out.truths, held_out.detections, classes, duplicates.group[held_out.index]
    )
    options.progress(EVALUATING, 1, 1)
    metrics = {**measured.evaluation.to_metrics(), "evaluated_on": split.evaluated_on}
    detector = Detector(
        classes,
        _trained(backbone, fitted),
        channels,
        fitted.plan.width,
        fitted.head,
        measured.calibration,
        measured.thresholds,
        np.array([start_of(embedded[one].sha256) for one in fitted.trained_on], np.uint64),
        metrics,
        selected.method,
    )
    end = time.perf_counter()
    return DetectionTeachResult(
        detector=detector,
        evaluation=measured.evaluation,
        evaluated_on=split.evaluated_on,
        photos=tuple(embedded[one].photo for one in held_out.index),
        truths=held_out.truths,
        detections=measured.detections,
        issues=measured.issues,
        duplicates=duplicates,
        candidates=selected.candidates,
        trained=len(fitted.trained_on),
        skipped=(*dataset.skipped, *skipped),
        findings=[*dataset.findings, *_dropped(embedded, split), *_slower(selected.method, fitted)],
        seconds={
            "load": opened - start,
            "embed": embedded_at - opened,
            "train": fitted_at - embedded_at,
            "evaluate": end - fitted_at,
            "total": end - start,
        },
    )


def _open(photos: Any) -> BoxDataset:
    """Raises DatasetError, also where no photo has a box."""
    dataset = open_boxes(photos)
    if not dataset.classes:
        raise DatasetError(
            f"Expected boxes, found none in {counted(len(dataset.photos))}. Draw boxes around what "
            "the detector is to find."
        )
    return dataset


def _trained(backbone: Backbone, fitted: Fitted) -> Backbone:
    """The backbone of the detector, with its own weights where they were fine-tuned."""
    if fitted.network is None:
        return backbone
    network = fitted.network.get_submodule("extractor.network")
    sha256 = keep_trained(backbone, network, "Fine-tuning for boxes")
    return replace(backbone, sha256=sha256, own=True)


def _duplicates(embedded: Sequence[Embedded]) -> Duplicates:
    return find_duplicates(
        [one.sha256 for one in embedded],
        np.array([one.dhash for one in embedded], np.uint64),
        [one.thumbnail for one in embedded],
        [one.photo.photo.group for one in embedded],
    )


def _dropped(embedded: Sequence[Embedded], split: Split) -> list[Finding]:
    """A finding about training photos that duplicate held-out ones."""
    if not len(split.dropped):
        return []
    names = tuple(embedded[one].photo.photo.name for one in split.dropped)
    verb = "duplicates" if len(names) == 1 else "duplicate"
    message = (
        f"{counted(len(names), 'training photo')} {verb} photos of {split.evaluated_on}; the "
        f"detector was not trained on them: {listed(names, 4)}."
    )
    advice = "Remove the duplicates from one of the two splits."
    return [Finding("duplicates across splits", "warning", message, advice, names)]


def _slower(method: str, fitted: Fitted) -> list[Finding]:
    """A finding about the slower and better method where the backbone stayed frozen."""
    if method != DENSE:
        return []
    photos = len(fitted.trained_on)
    times = method_called(FINETUNE).plan_for(photos).work / fitted.plan.work
    message = f"The method {DENSE} keeps the backbone frozen, which is fast."
    advice = f"The method {FINETUNE} finds better boxes, in about {times:.0f} times the time."
    return [Finding("method", "note", message, advice)]


def _embed(
    dataset: BoxDataset, backbone: Backbone, channels: Sequence[int], options: TeachOptions
) -> tuple[list[Embedded], list[Skipped]]:
    """Photos with their maps. Raises DatasetError if none can be read."""
    photos = dataset.photos
    embedded, skipped = embed_photos(
        photos,
        dataset.classes,
        maps_engine(backbone),
        channels,
        mirror=len(photos) <= MOST_MIRRORED,
        cache=FeatureCache() if options.use_cache else None,
        progress=counting(options.progress, EMBEDDING, len(photos)),
    )
    if not any(len(one.photo.labels) for one in embedded):
        raise DatasetError(
            f"None of the {counted(len(photos))} with boxes could be read: "
            f"{skipped[0].path} {skipped[0].reason}."
        )
    return embedded, skipped
