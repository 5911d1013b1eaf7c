"""Which method when: the decision table of transfer learning.

| photos per class | like ImageNet                  | unlike ImageNet                      |
|------------------|--------------------------------|--------------------------------------|
| few              | linear head on the last layer  | linear heads on several stages       |
| many             | fine-tune a few stages         | fine-tune more stages                |

The table (Yosinski et al., "How transferable are features in deep neural networks?", NIPS 2014;
Kornblith et al., "Do Better ImageNet Models Transfer Better?", CVPR 2019) orders the candidates;
cross-validation decides. Fine-tuning is evaluated after the heads, with `--method finetune` or
enough budget.

Without a budget, candidates are planned from counts of multiply-adds, not from the clock: the same
photos give the same classifier on an idle and on a loaded machine. Measured on one core, heads do
about 30 thousand million multiply-adds a second, from 300 photos of 3 classes to 12,000 of 10.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.errors import WeightsError
from eyespot.features.backbone import CONFIDENCE, Backbone
from eyespot.features.extract import Features
from eyespot.heads import NAMES, make_method
from eyespot.weights.find import find_weights
from eyespot.weights.zoo import find

LIKE_IMAGENET = 0.35
"""Similarity from which photos count as like ImageNet. Measured: ImageNet's own photos 0.72, cats
and dogs 0.39, rubbish on a board 0.31, hands 0.22, X-rays 0.12."""
FEW_PHOTOS = 5
"""Photos per class below which the last layer comes first for any similarity. With one photo of
each class its accuracy was higher for cats and dogs (84% against 74%) and rubbish (41% against
40%), and the same for hands and X-rays."""
FINETUNE = "finetune"
LEAST_TUNING_BUDGET = 60.0
"""Seconds of budget from which on `auto` fine-tunes: starting torch alone takes some."""
HEADS_WORK = 6e11
"""For all heads after the first, which always runs: some 20 s on one core."""
TUNING_WORK = 1.2e13
"""For fine-tuning: some 9 minutes, at the rate measured on two cores in fp32."""
STEPS = 80
"""Evaluations of the loss along the path of penalties of a linear head: 48 to 89 were counted."""
EIGEN = 20
"""The eigendecomposition of r dimensions takes about this many times r^3."""
MOST_DIMENSIONS = 2048
"""Of the space in which linear heads are trained, see `Eigenbasis`. The cost grows with the
cube."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method on a view of the features, "last layer" or "stages"; or fine-tuning of "a few
    stages" or "more stages"."""

    method: str
    view: str

    @property
    def name(self) -> str:
        if self.method == FINETUNE:
            return f"{self.method} {self.view}"
        return f"{self.method} on {self.view}"

    @property
    def words(self) -> str:
        if self.method == FINETUNE:
            return f"fine-tuning {self.view}"
        return f"{NAMES[self.method]} on {VIEW_WORDS[self.view]}"


VIEW_WORDS = {
    "last layer": "the network's last layer",
    "stages": "several stages of the network",
}
TUNED_SHARE = {"a few stages": 0.25, "more stages": 0.5}
"""Share of the stages with weights to train, counted from the last."""


def blocks_of(view: str, layout: dict[str, slice]) -> tuple[str, ...]:
    """The feature blocks of a view, in column order."""
    blocks = tuple(block for block in layout if block != CONFIDENCE)
    return blocks[-1:] if view == "last layer" else blocks


def similarity(features: Features, backbone: Backbone) -> float | None:
    """Similarity of photos to ImageNet's, 0..1: the mean probability of the network's top-1
    prediction among the ImageNet classes.

    That probability is high for photos like the training set, and low for others (Hendrycks
    and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", ICLR
    2017, section 3.2). None for a network with other classes: with few classes it is always high.
    """
    if backbone.own or not _predicts_imagenet(backbone):
        return None
    confidence = features.values[:, features.layout[CONFIDENCE]]
    return float(np.mean(confidence, dtype=np.float64))


def _predicts_imagenet(backbone: Backbone) -> bool:
    try:
        return find_weights(find(backbone.name), fetch=False).classes is None
    except WeightsError:  # only the converted network is still on this machine
        return False


def candidates(method: str, per_class: float, like_imagenet: float | None) -> list[Candidate]:
    """Candidate heads, the most promising first.

    `per_class`: median number of photos per class. `like_imagenet`: see `similarity`.
    """
    if method not in ("auto", FINETUNE):
        make_method(method)
        return [Candidate(method, view) for view in VIEW_WORDS]
    last = [Candidate("svm", "last layer"), Candidate("logistic", "last layer")]
    stages = [Candidate("svm", "stages"), Candidate("logistic", "stages")]
    quick = [Candidate("knn", "last layer"), Candidate("prototypes", "last layer")]
    if per_class < FEW_PHOTOS or is_alike(like_imagenet):
        return [*last, stages[0], *quick]
    return [*stages, *quick]


def is_alike(like_imagenet: float | None) -> bool:
    """Whether the table's column "like ImageNet" holds. A user's own network counts as trained on
    photos like these."""
    return like_imagenet is None or like_imagenet >= LIKE_IMAGENET


def finetuning_candidates(
    method: str, per_class: float, like_imagenet: float | None, budget: float | None
) -> list[Candidate]:
    """Candidates for fine-tuning, the most promising first: the lower row of the table."""
    enough = per_class >= FEW_PHOTOS and (budget or 0.0) >= LEAST_TUNING_BUDGET
    if method != FINETUNE and not (method == "auto" and enough):
        return []
    few, more = (Candidate(FINETUNE, view) for view in TUNED_SHARE)
    return [few, more] if is_alike(like_imagenet) else [more, few]


def affordable(
    candidates: Sequence[Candidate],
    width_of: Callable[[str], int],
    photos: int,
    classes: int,
    folds: int,
) -> list[Candidate]:
    """The first candidate, and of the others, in order, those that fit into HEADS_WORK together.

    `width_of`: feature columns of a view. `folds`: the number of heads to train for a candidate.
    """
    planned, remaining = list(candidates[:1]), HEADS_WORK
    for candidate in candidates[1:]:
        shared = candidate.view in {one.view for one in planned if _is_linear(one)}
        work = head_work(candidate, width_of(candidate.view), photos, classes, folds)
        if not shared and _is_linear(candidate):
            work += basis_work(width_of(candidate.view), photos)
        if work <= remaining:
            remaining -= work
            planned.append(candidate)
    return planned


def head_work(candidate: Candidate, width: int, photos: int, classes: int, folds: int) -> float:
    """Cost of cross-validating one candidate, without the basis that linear heads share."""
    if _is_linear(candidate):
        rank = min(photos, width, MOST_DIMENSIONS)
        return 2.0 * STEPS * photos * rank * classes * folds
    if candidate.method == "knn":  # compares every photo with every other
        return float(photos) * photos * width
    return float(photos) * width * folds


def basis_work(width: int, photos: int) -> float:
    """Cost of the eigenbasis that the linear heads on one view share."""
    rank = min(photos, width, MOST_DIMENSIONS)
    return float(photos) * width * rank + EIGEN * float(rank) ** 3


def _is_linear(candidate: Candidate) -> bool:
    return candidate.method in ("svm", "logistic")
