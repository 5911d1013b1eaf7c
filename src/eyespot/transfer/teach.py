"""Teaching: from a collection of photos to a classifier and the evidence of how good it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.classifier import LAST_LAYER, Classifier, Recipe, TaughtPhotos
from eyespot.data.audit import Duplicates, Finding, audit, duplicate_groups
from eyespot.data.photos import Dataset, Skipped, open_photos
from eyespot.data.splits import choose_repeats, folds
from eyespot.errors import DatasetError
from eyespot.evaluation import (
    Evaluation,
    LearningCurve,
    Rejection,
    Suspicion,
    evaluate,
    fit_rejection,
    learning_curve,
    suspicious_labels,
    wilson_interval,
)
from eyespot.evaluation.crossval import CrossValidated, cross_validate, honest_choice
from eyespot.features.backbone import CONFIDENCE, DEFAULT, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import Features, embed
from eyespot.heads.familiarity import familiarity_out_of_fold, learn_familiarity
from eyespot.heads.method import Fold, Prepared
from eyespot.transfer.policy import NAMES, Candidate, blocks_of, candidates, make_method, similarity

FOLDS = 5
HOLDOUT_FROM = 20_000
"""From this many photos on, one fifth held out says as much as five folds, five times sooner."""

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


@dataclass(frozen=True)
class Trial:
    """One candidate that was tried: out-of-fold top-1 with its 95 % interval, and its cost."""

    method: str
    top1: float
    top1_interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True)
class Lesson:
    """All that one teaching found out; the report and the command line are made of it.

    `dataset`: the photos that were used. `labels`: int64 [n], indices of the classifier's classes.
    `probabilities`: float64 [n, K], of each photo by heads that never saw it; rows of photos that
    were never asked about are NaN. `evaluation`: of these, or of the test split if there is one.
    `reason`: two sentences. `seconds`: load, embed, fit, evaluate, total.
    """

    classifier: Classifier
    evaluation: Evaluation
    evaluated_on: str
    dataset: Dataset
    skipped: tuple[Skipped, ...]
    findings: list[Finding]
    duplicates: Duplicates
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    features: Features
    suspicious: list[Suspicion]
    method: str
    reason: str
    candidates: list[Trial]
    learning_curve: LearningCurve | None
    rejection: Rejection
    seconds: dict[str, float]
    photos_per_second: float
