"""All checks, one after the other: the whole job of `eyespot train --check`."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from eyespot.data.given import PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Photo
from eyespot.progress import Progress, counting
from eyespot.training.augment import find_augmentation
from eyespot.training.checks.first_loss import first_loss
from eyespot.training.checks.gradients import gradients
from eyespot.training.checks.overfit import overfit
from eyespot.training.checks.random_search import random_search
from eyespot.training.checks.rates import rates
from eyespot.training.checks.signals import signals
from eyespot.training.checks.verdict import Verdict
from eyespot.training.division import HELD_OUT, divide
from eyespot.training.pictures import Pictures, read_pictures
from eyespot.training.plan import Plan
from eyespot.weights import zoo

LEARN, HELD = 5000, 2000
"""Photos that are read at most, drawn by the plan's seed."""


def check_photos(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    plan: Plan,
    *,
    held_out: float = HELD_OUT,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Verdict, ...]:
    """Check a plan on whatever `teach` takes, without training.

    Raises UsageError, DatasetError.
    """
    about = zoo.find(plan.model)
    side = find_augmentation(plan.augmentation).stored(about.preprocessing.size)
    dataset = open_photos(source)
    learn, held, _ = divide(dataset, held_out, plan.seed)

    def read(photos: list[Photo], most: int, what: str) -> Pictures:
        drawn = np.random.default_rng(plan.seed).permutation(len(photos))[:most]
        step = counting(progress, what, len(drawn))
        chosen = [photos[index] for index in drawn]
        return read_pictures(chosen, dataset.classes, side, about.in_channels, step)[0]

    return check(
        plan,
        read(learn, LEARN, "Reading"),
        read(held, HELD, "Reading more") if held else None,
        progress=progress,
    )


def check(
    plan: Plan,
    learn: Pictures,
    held_out: Pictures | None,
    *,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Verdict, ...]:
    """Every check, the cheap ones first. The same plan and pictures give the same verdicts."""
    checks: tuple[Callable[[], Verdict], ...] = (
        lambda: first_loss(plan, learn),
        lambda: signals(plan, learn),
        lambda: gradients(plan, learn),
        lambda: overfit(plan, learn),
        lambda: rates(plan, learn),
        lambda: random_search(plan, learn, held_out),
    )
    verdicts = []
    for done, run in enumerate(checks):
        progress("Checking", done, len(checks))
        verdicts.append(run())
    progress("Checking", len(checks), len(checks))
    return tuple(verdicts)
