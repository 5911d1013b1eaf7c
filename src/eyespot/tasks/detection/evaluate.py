"""Evaluate a detector on annotated photos."""

from collections.abc import Sequence

import numpy as np

from eyespot.data.boxes.dataset import AnnotatedPhoto, BoxDataset
from eyespot.data.boxes.open import open_boxes
from eyespot.data.finding import Finding
from eyespot.data.photos import Skipped, content_hash
from eyespot.errors import DatasetError, PhotoError
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_metrics import evaluate_detections
from eyespot.progress import Progress
from eyespot.shown import counted, listed
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.frame import frame_of
from eyespot.tasks.detection.result import DetectionResult

DETECTING = "Detecting"


def evaluate(
    detector: Detector, photos: object, progress: Progress = lambda stage, done, total: None
) -> DetectionResult:
    """The detector on annotated photos, at its own thresholds.

    `photos`: as `open_boxes` takes them. Boxes of classes that the detector does not know are left
    out, which a finding tells. Raises DatasetError if no photo can be read, or no class is known.
    """
    dataset = open_boxes(photos)  # type: ignore[arg-type]
    findings = [*dataset.findings, *_unknown_classes(dataset, detector.classes)]
    kept: list[AnnotatedPhoto] = []
    found: list[Detections] = []
    skipped: list[Skipped] = []
    known: list[str] = []

    def detect(photo: AnnotatedPhoto) -> tuple[Detections, bool] | str:
        try:
            data = photo.photo.read()
            return detector.detect(frame_of(data)), detector.was_trained_on(content_hash(data))
        except PhotoError as error:
            return str(error)

    with detector.engine.pool() as pool:
        results = pool.map(detect, dataset.photos)
        for number, (photo, result) in enumerate(zip(dataset.photos, results, strict=True)):
            if isinstance(result, str):
                skipped.append(Skipped(photo.photo.name, result))
            else:
                kept.append(photo)
                found.append(result[0])
                known += [photo.photo.name] * result[1]
            progress(DETECTING, number + 1, len(dataset.photos))
    if not kept:
        raise DatasetError(f"None of the {counted(len(dataset.photos))} could be read.")
    truths = [_truth(photo, detector.classes) for photo in kept]
    evaluation = evaluate_detections(
        truths,
        found,
        len(detector.classes),
        names=detector.classes,
        score_thresholds=detector.thresholds,
    )
    return DetectionResult(
        detector=detector,
        evaluation=evaluation,
        evaluated_on="these photos",
        photos=tuple(kept),
        truths=tuple(truths),
        detections=tuple(found),
        skipped=(*dataset.skipped, *skipped),
        findings=findings,
        known=tuple(known),
    )


def _unknown_classes(dataset: BoxDataset, classes: Sequence[str]) -> list[Finding]:
    """A finding where boxes have labels that the detector does not know. Raises DatasetError where
    all have."""
    unknown = [name for name in dataset.classes if name not in classes]
    if not unknown:
        return []
    if len(unknown) == len(dataset.classes):
        raise DatasetError(
            f"Expected boxes of {listed(classes)}, found those of {listed(unknown)}. Evaluate the "
            "detector on photos with its own classes."
        )
    message = f"Boxes of {listed(unknown)} were left out: the detector does not know these classes."
    return [Finding("unknown classes", "warning", message)]


def _truth(photo: AnnotatedPhoto, classes: Sequence[str]) -> Truth:
    kept = np.array([label in classes for label in photo.labels], bool)
    labels = np.array([classes.index(one) for one in photo.labels if one in classes], np.int64)
    return Truth(photo.boxes[kept], labels, photo.ignored[kept])
