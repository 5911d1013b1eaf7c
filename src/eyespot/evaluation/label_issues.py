"""Photos whose label looks wrong.

Confident learning: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021, section 3.1: a photo is suspect if a head that never saw it gives
another class at least the probability that this class usually gets from its own photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation.intervals import wilson_interval

SURE = 0.8
"""Least probability of the other class: a person's time is spent on clear cases only."""


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """Photo `index` may be of class `suggested`; probabilities of that and of its own label."""

    index: int
    suggested: int
    confidence: float
    own: float


def find_label_issues(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> list[LabelIssue]:
    """Suspects among n photos, the clearest first.

    `probabilities`: float64 [n, K], out of fold; rows of NaN are passed over.
    """
    asked = np.flatnonzero(~np.isnan(probabilities[:, 0]))
    usual = np.ones(probabilities.shape[1])
    for index in range(len(usual)):
        own = asked[labels[asked] == index]
        if len(own):
            usual[index] = probabilities[own, index].mean()
    out = []
    for photo in asked:
        guess = int(probabilities[photo].argmax())
        confidence = float(probabilities[photo, guess])
        if guess != labels[photo] and confidence >= max(usual[guess], SURE):
            own_share = float(probabilities[photo, labels[photo]])
            out.append(LabelIssue(int(photo), guess, confidence, own_share))
    return sorted(out, key=lambda label_issue: label_issue.own - label_issue.confidence)


@dataclass(frozen=True)
class PlantedTest:
    """What `find_label_issues` makes of labels that were made wrong on purpose.

    `planted`: wrong labels that were planted; `found`: those that were suspected; `corrected`:
    those found whose right label was suggested. `suspected`: all label_issues, also of labels that
    were not planted; some of these may be wrong too, so `precision` is the least that it can be.
    """

    planted: int
    found: int
    corrected: int
    suspected: int

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else float("nan")

    @property
    def precision(self) -> float:
        return self.found / self.suspected if self.suspected else float("nan")

    @property
    def recall_interval(self) -> tuple[float, float]:
        return wilson_interval(self.found, self.planted)

    @property
    def precision_interval(self) -> tuple[float, float]:
        return wilson_interval(self.found, self.suspected)


def plant_wrong_labels(
    labels: NDArray[np.int64], classes: int, share: float, seed: int = 0
) -> NDArray[np.int64]:
    """The labels, int64 [n], with `share` of them changed to another class at random."""
    rng = np.random.default_rng(seed)
    changed = labels.copy()
    picked = rng.permutation(len(labels))[: round(share * len(labels))]
    changed[picked] = (labels[picked] + rng.integers(1, classes, len(picked))) % classes
    return changed


def judge_label_issues(
    label_issues: Sequence[LabelIssue], labels: NDArray[np.int64], planted: NDArray[np.int64]
) -> PlantedTest:
    """How well label_issues about the labels `planted`, int64 [n], find where they differ from
    `labels`, int64 [n]."""
    wrong = planted != labels
    found = [s for s in label_issues if wrong[s.index]]
    corrected = sum(s.suggested == labels[s.index] for s in found)
    return PlantedTest(int(wrong.sum()), len(found), int(corrected), len(label_issues))
