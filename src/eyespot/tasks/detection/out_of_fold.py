"""Fit a head per fold, and detect on its held-out photos."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from eyespot.arrays import F32, I64
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.progress import Progress, counting
from eyespot.tasks.detection.embed import Embedded
from eyespot.tasks.detection.frame import input_scale
from eyespot.tasks.detection.method import Method, Plan, method_called
from eyespot.tasks.detection.split import Split

if TYPE_CHECKING:
    from torch import nn

TRAINING = "Training"
Folds = Sequence[tuple[I64, I64]]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """`index`: of the held-out photos, with their `truths` and `detections` in pixels of the
    photos, uncalibrated. `head`: of the last fold."""

    index: I64
    truths: tuple[Truth, ...]
    detections: tuple[Detections, ...]
    head: "nn.Module"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """`head`: of the detector itself, its state as arrays, with its plan and training photos."""

    head: dict[str, F32]
    plan: Plan
    trained_on: I64
    held_out: HeldOut


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPhotos:
    """Photos with maps of these `channels`, and boxes of so many `classes`."""

    photos: Sequence[Embedded]
    channels: Sequence[int]
    classes: int

    def fit(self, method: Method, index: I64, step: Callable[[int], None]) -> "nn.Module":
        """A head trained on some of the photos."""
        views = [self.photos[one].views for one in index]
        return method.fit(views, self.channels, self.classes, method.plan_for(len(index)), step)


def fit_and_detect(
    photos: TrainingPhotos,
    split: Split,
    name: str,
    progress: Progress,
    held_out: HeldOut | None = None,
) -> Fitted:
    """One head a fold, and one of all photos where the folds cover them. `name`: of the method.
    `held_out`: what the folds have given already."""
    method = method_called(name)
    folds = split.folds if held_out is None else ()
    final = () if split.final is None else ((split.final, split.final[:0]),)
    step = counting(progress, TRAINING, steps_of(method, (*folds, *final)))
    held_out = held_out or detect_held_out(photos, folds, method, step)
    trained_on, head = split.folds[-1][0], held_out.head
    if split.final is not None:
        trained_on, head = split.final, photos.fit(method, split.final, step)
    state = {key: value.numpy() for key, value in head.state_dict().items()}
    return Fitted(state, method.plan_for(len(trained_on)), trained_on, held_out)


def steps_of(method: Method, folds: Folds) -> int:
    """Steps of the optimiser in all folds."""
    return sum(method.plan_for(len(training)).steps for training, _ in folds)


def detect_held_out(
    photos: TrainingPhotos, folds: Folds, method: Method, step: Callable[[int], None]
) -> HeldOut:
    """Detections on the held-out photos of each fold by a head trained on the others. `step`:
    called with the steps done since the last call."""
    index: list[int] = []
    detections: list[Detections] = []
    for training, others in folds:
        head = photos.fit(method, training, step)
        index += others.tolist()
        detections += [_detect(head, method, photos.photos[one]) for one in others]
    truths = tuple(truth_of(photos.photos[one]) for one in index)
    return HeldOut(np.array(index, np.int64), truths, tuple(detections), head)


def truth_of(photo: Embedded) -> Truth:
    """The annotated boxes, in pixels of the photo."""
    return Truth(photo.photo.boxes, photo.views[0].labels, photo.photo.ignored)


def _detect(head: "nn.Module", method: Method, photo: Embedded) -> Detections:
    with torch.inference_mode():
        maps = [torch.from_numpy(one[None].astype(np.float32)) for one in photo.views[0].maps]
        found = method.detections(*(one[0].numpy() for one in head(maps)))
    boxes = (found.boxes / input_scale(photo.width, photo.height)).astype(np.float32)
    return Detections(boxes, found.labels, found.scores)
