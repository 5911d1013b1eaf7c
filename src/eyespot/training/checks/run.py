"""Run all checks of a training plan: `eyespot train --check`."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

from eyespot.data.given import PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Photo
from eyespot.progress import Progress, counting
from eyespot.training.augment import find_augmentation
from eyespot.training.checks.check import CheckResult
from eyespot.training.checks.first_loss import first_loss
from eyespot.training.checks.gradients import gradients
from eyespot.training.checks.overfit import overfit
from eyespot.training.checks.random_search import random_search
from eyespot.training.checks.rates import rates
from eyespot.training.checks.signals import signals
from eyespot.training.images import ImageSet, open_images
from eyespot.training.plan import Plan
from eyespot.training.split import HELD_OUT, split_photos
from eyespot.weights import zoo

TRAIN, HELD = 5000, 2000
"""Photos that are read at most, drawn with the plan's seed."""


def check_photos(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    plan: Plan,
    *,
    held_out: float = HELD_OUT,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[CheckResult, ...]:
    """Check a plan on a source of labelled photos, without training.

    Raises UsageError, DatasetError.
    """
    about = zoo.find(plan.model)
    side = find_augmentation(plan.augmentation).stored(about.preprocessing.size)
    dataset = open_photos(source)
    train, held, _ = split_photos(dataset, held_out, plan.seed)

    def read(photos: list[Photo], most: int, what: str) -> ImageSet:
        drawn = np.random.default_rng(plan.seed).permutation(len(photos))[:most]
        step = counting(progress, what, len(drawn))
        chosen = [photos[index] for index in drawn]
        images, _ = open_images(
            chosen, dataset.classes, side, about.in_channels, step, in_memory=True
        )
        return images

    return check(
        plan,
        read(train, TRAIN, "Reading"),
        read(held, HELD, "Reading more") if held else None,
        progress=progress,
    )


def check(
    plan: Plan,
    train_set: ImageSet,
    held_out: ImageSet | None,
    *,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[CheckResult, ...]:
    """Run every check, the cheap ones first. The same plan and images give the same results.

    Restores the state of torch's random generators afterwards.
    """
    checks: tuple[Callable[[], CheckResult], ...] = (
        lambda: first_loss(plan, train_set),
        lambda: signals(plan, train_set),
        lambda: gradients(plan, train_set),
        lambda: overfit(plan, train_set),
        lambda: rates(plan, train_set),
        lambda: random_search(plan, train_set, held_out),
    )
    results = []
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        for done, run in enumerate(checks):
            progress("Checking", done, len(checks))
            results.append(run())
    progress("Checking", len(checks), len(checks))
    return tuple(results)
