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
from eyespot.tasks.detection.frame import frame_of, input_scale
from eyespot.tasks.detection.method import Method, Plan, Trained, method_called
from eyespot.tasks.detection.split import Split

if TYPE_CHECKING:
    from torch import nn

    from eyespot.features.backbone import Backbone

TRAINING = "Training"
Folds = Sequence[tuple[I64, I64]]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """`index`: of the held-out photos, with their `truths` and `detections` in pixels of the
    photos, uncalibrated. `trained`: in the last fold."""

    index: I64
    truths: tuple[Truth, ...]
    detections: tuple[Detections, ...]
    trained: Trained


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """`head`: of the detector itself, its state as arrays, with the fine-tuned `network` (None: the
    backbone is frozen), its plan and training photos."""

    head: dict[str, F32]
    network: "nn.Module | None"
    plan: Plan
    trained_on: I64
    held_out: HeldOut


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPhotos:
    """Photos with maps of the `backbone`, and boxes of so many `classes`."""

    photos: Sequence[Embedded]
    backbone: "Backbone"
    classes: int

    def fit(self, method: Method, index: I64, step: Callable[[int], None]) -> Trained:
        """A head trained on some of the photos."""
        chosen = [self.photos[one] for one in index]
        return method.fit(chosen, self.backbone, self.classes, method.plan_for(len(index)), step)


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
    step = counting(progress, TRAINING, work_of(method, (*folds, *final)))
    held_out = held_out or detect_held_out(photos, folds, method, step)
    trained_on, trained = split.folds[-1][0], held_out.trained
    if split.final is not None:
        trained_on, trained = split.final, photos.fit(method, split.final, step)
    state = {key: value.numpy() for key, value in trained.head.state_dict().items()}
    plan = method.plan_for(len(trained_on))
    return Fitted(state, trained.network, plan, trained_on, held_out)


def work_of(method: Method, folds: Folds) -> int:
    """The work of all folds; see `Plan.work`."""
    return sum(method.plan_for(len(training)).work for training, _ in folds)


def detect_held_out(
    photos: TrainingPhotos, folds: Folds, method: Method, step: Callable[[int], None]
) -> HeldOut:
    """Detections on the held-out photos of each fold by a head trained on the others. `step`:
    called with the work done since the last call."""
    index: list[int] = []
    detections: list[Detections] = []
    for training, others in folds:
        trained = photos.fit(method, training, step)
        index += others.tolist()
        detections += [_detect(trained, method, photos.photos[one]) for one in others]
    truths = tuple(truth_of(photos.photos[one]) for one in index)
    return HeldOut(np.array(index, np.int64), truths, tuple(detections), trained)


def truth_of(photo: Embedded) -> Truth:
    """The annotated boxes, in pixels of the photo."""
    return Truth(photo.photo.boxes, photo.views[0].labels, photo.photo.ignored)


def _detect(trained: Trained, method: Method, photo: Embedded) -> Detections:
    with torch.inference_mode():
        if trained.network is None:
            maps = [torch.from_numpy(one[None].astype(np.float32)) for one in photo.views[0].maps]
        else:
            frame = frame_of(photo.photo.photo.read())
            maps = trained.network(torch.from_numpy(frame.pixels.copy())[None])
        found = method.detections(*(one[0].numpy() for one in trained.head(maps)))
    boxes = (found.boxes / input_scale(photo.width, photo.height)).astype(np.float32)
    return Detections(boxes, found.labels, found.scores)
