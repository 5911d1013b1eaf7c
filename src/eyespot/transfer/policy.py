"""Which method when: the decision table of transfer learning, and what it costs to ask.

| photos per class | like ImageNet                  | unlike ImageNet                      |
|------------------|--------------------------------|--------------------------------------|
| few              | linear head on the last layer  | linear heads on several stages       |
| many             | fine-tune a few stages         | fine-tune more stages                |

The table (Yosinski et al., "How transferable are features in deep neural networks?", NIPS 2014;
Kornblith et al., "Do Better ImageNet Models Transfer Better?", CVPR 2019) says what to try first;
cross-validation decides. Fine-tuning joins as one more candidate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.features.backbone import CONFIDENCE
from eyespot.heads import make_method

LIKE_IMAGENET = 0.35
"""Similarity from which photos count as like ImageNet. Measured: ImageNet's own photos 0.72, cats
and dogs 0.39, rubbish on a board 0.31, hands 0.22, X-rays 0.12."""


FEW_PHOTOS = 5
"""Photos per class below which the last layer comes first whatever the photos are like. With one
photo of each class it was right more often for cats and dogs (84 against 74 %) and rubbish (41
against 40 %), and as often for hands and X-rays."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method on a choice of features. `view`: "last layer" or "stages"."""

    method: str
    view: str

    @property
    def name(self) -> str:
        return f"{self.method} on {self.view}"


VIEW_WORDS = {
    "last layer": "the network's last layer",
    "stages": "several stages of the network",
}


def blocks_of(view: str, layout: dict[str, slice]) -> tuple[str, ...]:
    """The blocks of features that a view takes, in column order."""
    blocks = tuple(block for block in layout if block != CONFIDENCE)
    return blocks[-1:] if view == "last layer" else blocks


def similarity(confidence: NDArray[np.floating]) -> float:
    """How much photos look like ImageNet, 0..1: the mean probability of the network's first guess.

    A network is sure of pictures like those it was trained on, and unsure of others (Hendrycks
    and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", ICLR
    2017, section 3.2). `confidence`: that probability for each photo, [n, 1].
    """
    return float(confidence.mean(dtype=np.float64))


def candidates(method: str, per_class: float, like_imagenet: float) -> list[Candidate]:
    """What to try, the most promising first; a budget may end the list early.

    `per_class`: median number of photos per class. `like_imagenet`: see `similarity`.
    """
    if method != "auto":
        make_method(method)
        return [Candidate(method, view) for view in VIEW_WORDS]
    last = [Candidate("svm", "last layer"), Candidate("logistic", "last layer")]
    stages = [Candidate("svm", "stages"), Candidate("logistic", "stages")]
    quick = [Candidate("knn", "last layer"), Candidate("prototypes", "last layer")]
    if per_class < FEW_PHOTOS or like_imagenet >= LIKE_IMAGENET:
        return [*last, stages[0], *quick]
    return [*stages, *quick]
