"""Label issues: photos whose label may be wrong.

Confident learning: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021, section 3.1: a photo has a label issue if its out-of-fold probability
of another class is at least the mean probability of that class for its own photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F64, I64
from eyespot.evaluation.intervals import wilson_interval

SURE = 0.8
"""Least probability of the other class: only clear cases are worth a person's time."""


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """Photo `index` may be of class `suggested`, with probability `confidence`; `own` is that of
    its label."""

    index: int
    suggested: int
    confidence: float
    own: float


def find_label_issues(probabilities: F64, labels: I64) -> list[LabelIssue]:
    """Label issues among n photos, the clearest first.

    `probabilities`: float64 [n, K], out of fold; rows of NaN are skipped.
    """
    held_out = np.flatnonzero(~np.isnan(probabilities[:, 0]))
    usual = np.ones(probabilities.shape[1])
    for index in range(len(usual)):
        own = held_out[labels[held_out] == index]
        if len(own):
            usual[index] = probabilities[own, index].mean()
    out = []
    for photo in held_out:
        guess = int(probabilities[photo].argmax())
        confidence = float(probabilities[photo, guess])
        if guess != labels[photo] and confidence >= max(usual[guess], SURE):
            own_share = float(probabilities[photo, labels[photo]])
            out.append(LabelIssue(int(photo), guess, confidence, own_share))
    return sorted(out, key=lambda issue: issue.own - issue.confidence)


@dataclass(frozen=True)
class PlantedTest:
    """Test of `find_label_issues` on labels that were changed on purpose.

    `planted`: changed labels; `found`: those reported as label issues; `corrected`: those found
    with the original label as the suggestion. `reported`: all label issues. Some labels that were
    not changed may be wrong too, so `precision` is a lower bound.
    """

    planted: int
    found: int
    corrected: int
    reported: int

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else float("nan")

    @property
    def precision(self) -> float:
        return self.found / self.reported if self.reported else float("nan")

    @property
    def recall_interval(self) -> tuple[float, float]:
        return wilson_interval(self.found, self.planted)

    @property
    def precision_interval(self) -> tuple[float, float]:
        return wilson_interval(self.found, self.reported)


def plant_wrong_labels(labels: I64, classes: int, share: float, seed: int = 0) -> I64:
    """The labels, int64 [n], with `share` of them changed to another class at random."""
    rng = np.random.default_rng(seed)
    changed = labels.copy()
    picked = rng.permutation(len(labels))[: round(share * len(labels))]
    changed[picked] = (labels[picked] + rng.integers(1, classes, len(picked))) % classes
    return changed


def measure_planted(label_issues: Sequence[LabelIssue], labels: I64, planted: I64) -> PlantedTest:
    """Compare label issues found in `planted` labels, int64 [n], with the original `labels`."""
    wrong = planted != labels
    found = [s for s in label_issues if wrong[s.index]]
    corrected = sum(s.suggested == labels[s.index] for s in found)
    return PlantedTest(int(wrong.sum()), len(found), int(corrected), len(label_issues))
