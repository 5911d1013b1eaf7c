"""Cross-validate fine-tuning: candidates that train the last stages of the network, too."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from eyespot.data.photos import Photo
from eyespot.evaluation.crossval import select_and_calibrate
from eyespot.features.backbone import LOGITS, Backbone
from eyespot.features.own_weights import keep_trained
from eyespot.heads.scorers import LogitsScorer
from eyespot.progress import Progress, counting
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.tasks.classification.cross_validate import (
    TOO_MUCH,
    Omitted,
    ValidatedCandidate,
    spent,
)
from eyespot.tasks.classification.frozen_maps import VIEWS, OutOfTime
from eyespot.tasks.classification.options import TeachOptions
from eyespot.tasks.classification.policy import FINETUNE, TUNED_SHARE, TUNING_WORK, Candidate
from eyespot.tasks.classification.split import TrainingSet
from eyespot.tasks.classification.tuning_network import (
    LEAST_EPOCHS,
    MOST_EPOCHS,
    FineTuning,
    divided,
    tunable,
)


@dataclass(frozen=True)
class ValidatedTuning(ValidatedCandidate):
    """Fine-tuning, ready to be fitted on all photos. `ood_scores`: float32 [n], out of fold."""

    tuning: FineTuning
    ood_scores: NDArray[np.float32]

    def classifier(
        self, labels: NDArray[np.int64], classes: tuple[str, ...], progress: Progress
    ) -> Classifier:
        """Trained on all the photos, `labels` int64 [n]. Its network is its own."""
        tuning, everything = self.tuning, np.arange(len(labels))
        stage = "Fine-tuning on all photos"
        network = tuning.train(
            labels, len(classes), everything, lambda percent: progress(stage, percent, 100)
        )
        progress(stage, 100, 100)
        ood_scorer = tuning.fit_ood(network, labels, everything)
        backbone = tuning.backbone
        sha256 = keep_trained(backbone, network, self.candidate.words, classes)
        return Classifier(
            classes=classes,
            backbone=replace(backbone, sha256=sha256, blocks=(LOGITS, backbone.last), own=True),
            recipe=Recipe(FINETUNE, (LOGITS,), tuning.depth),
            scorer=LogitsScorer(len(classes)),
            temperature=self.found.temperature,
            ood_scorer=ood_scorer,
        )


def cross_validate_tunings(
    candidates: Sequence[Candidate],
    photos: Sequence[Photo],
    train: TrainingSet,
    backbone: Backbone,
    options: TeachOptions,
    start: float,
) -> tuple[list[ValidatedTuning], list[Omitted]]:
    """Cross-validate the candidates in order; return the omitted ones, too.

    Without a budget, epochs are planned from the numbers of photos and multiply-adds. The budget
    counts from `start` (time.perf_counter). `photos`: those of `train`.
    """
    budget = options.budget
    end = math.inf if budget is None else start + budget
    folds, work = train.split.repeats[0], TUNING_WORK
    per_epoch = len(photos) + sum(len(part) for part, _ in folds)
    last = train.features.values[:, train.features.layout[backbone.last]].astype(np.float32)
    done: list[ValidatedTuning] = []
    omitted: list[Omitted] = []
    for number, candidate in enumerate(candidates):
        before, epochs = time.perf_counter(), MOST_EPOCHS
        why, share = TOO_MUCH if budget is None else spent(budget), TUNED_SHARE[candidate.view]
        if budget is None:
            epochs, cost = planned_epochs(backbone, share, len(photos), per_epoch, work)
            if epochs < LEAST_EPOCHS:
                omitted.append(Omitted(candidate.name, why))
                continue
            work -= cost
        try:
            tuning = FineTuning(
                photos,
                last,
                backbone,
                share,
                epochs=epochs,
                forget_photos=options.forget_photos,
                end=(before + end) / 2,
                step=counting(options.progress, "Computing frozen stages", len(photos)),
            )
            scores, ood_scores = tuning.out_of_fold(
                train.labels, train.classes, folds, end=end, progress=options.progress
            )
        except OutOfTime as error:
            omitted.append(Omitted(candidate.name, _lacking(budget or 0.0, start, before, error)))
            omitted += [Omitted(one.name, why) for one in candidates[number + 1 :]]
            break
        found = select_and_calibrate(scores[None], train.labels, train.split.parts, (tuning.depth,))
        seconds = time.perf_counter() - before
        done.append(ValidatedTuning(candidate, found, seconds, tuning, ood_scores))
        if tuning.epochs < MOST_EPOCHS:
            fewer = f"{MOST_EPOCHS - tuning.epochs} of {MOST_EPOCHS} epochs of"
            omitted.append(Omitted(f"{fewer} {candidate.name}", why))
        end -= seconds / len(folds)  # kept for training on all photos, if it is selected
    return done, omitted


def _lacking(budget: float, start: float, before: float, error: OutOfTime) -> str:
    """Why a candidate that started at `before` did not fit into the budget."""
    if not error.seconds:
        return spent(budget)
    now = time.perf_counter()
    # The frozen stages get half of the time at most.
    needed = now - start + max(now - before, error.seconds)
    return f"{spent(budget)}; about {10 * math.ceil(needed / 10)} s are needed here"


def planned_epochs(
    backbone: Backbone, share: float, photos: int, trained: int, work: float
) -> tuple[int, float]:
    """Epochs that fit into `work` multiply-adds, MOST_EPOCHS at most, and their cost.

    `photos`: the number that goes through the frozen stages. `trained`: photos of one epoch of all
    networks together. A training step costs three predictions: one forward, two for the gradients.
    """
    network = tunable(backbone)
    _, _, tuned = divided(network, share)
    frozen = 0
    side = backbone.preprocessing.size
    x = torch.zeros(1, network.in_channels, side, side)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        for name, stage in network.stages.items():
            if name == tuned[0]:
                frozen = counter.get_total_flops()
            x = stage(x)
    # The counter counts a multiply-add twice.
    fixed = frozen / 2 * VIEWS * photos
    epoch = 3 * (counter.get_total_flops() - frozen) / 2 * trained
    epochs = min(MOST_EPOCHS, int(max(0.0, work - fixed) / epoch))
    return epochs, fixed + epochs * epoch
