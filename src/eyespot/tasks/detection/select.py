"""Select a method: that of the highest AP in cross-validation of the training photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.evaluation.detection_metrics import evaluate_detections
from eyespot.progress import Progress, counting
from eyespot.tasks.detection.method import FINETUNE, METHODS, method_called
from eyespot.tasks.detection.out_of_fold import (
    HeldOut,
    TrainingPhotos,
    detect_held_out,
    work_of,
)
from eyespot.tasks.detection.split import Split, cross_validation

COMPARING = "Comparing methods"
TUNED_BOXES = 200
"""Boxes from which on fine-tuning is a candidate: it takes many times as long as the others."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method with its AP in cross-validation, 0..1."""

    method: str
    ap: float


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """`method`: the selected one. `candidates`: all, the best first; none where the method was
    given. `held_out`: of the selected method, where the folds are those of the split."""

    method: str
    candidates: tuple[Candidate, ...] = ()
    held_out: HeldOut | None = None


def select_method(
    photos: TrainingPhotos,
    split: Split,
    groups: Sequence[int],
    progress: Progress,
) -> Selected:
    """Compare the methods. Held-out photos of a split that was given have no part in it.

    `groups`: of photos that stay in one fold. Raises DatasetError as `cross_validation` does.
    """
    given = split.final is None
    folds = cross_validation(split.folds[0][0], groups) if given else split.folds
    boxes = sum(len(photos.photos[one].photo.labels) for one in np.concatenate(folds[0]))
    names = [name for name in METHODS if name != FINETUNE or boxes >= TUNED_BOXES]
    methods = {name: method_called(name) for name in names}
    step = counting(progress, COMPARING, sum(work_of(one, folds) for one in methods.values()))
    found = {name: detect_held_out(photos, folds, one, step) for name, one in methods.items()}
    candidates = [Candidate(name, _ap(one, photos.classes)) for name, one in found.items()]
    candidates.sort(key=lambda one: -one.ap)
    best = candidates[0].method
    return Selected(best, tuple(candidates), None if given else found[best])


def _ap(held_out: HeldOut, classes: int) -> float:
    evaluation = evaluate_detections(held_out.truths, held_out.detections, classes, resamples=0)
    return evaluation.average_precision.ap
