"""Which method when: the decision table of transfer learning, and what it costs to ask.

| photos per class | like ImageNet                  | unlike ImageNet                      |
|------------------|--------------------------------|--------------------------------------|
| few              | linear head on the last layer  | linear heads on several stages       |
| many             | fine-tune a few stages         | fine-tune more stages                |

The table (Yosinski et al., "How transferable are features in deep neural networks?", NIPS 2014;
Kornblith et al., "Do Better ImageNet Models Transfer Better?", CVPR 2019) says what to try first;
cross-validation decides. Fine-tuning joins as one more candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.features.backbone import CONFIDENCE
from eyespot.heads import make_method

LIKE_IMAGENET = 0.35
"""Similarity from which photos count as like ImageNet: the median over ordinary photographs of
ImageNet's own classes is about 0.8, over X-rays or drawings 0.1 to 0.3 (see `similarity`)."""

FEW_PHOTOS = 10
"""Photos per class below which neighbours and prototypes are worth asking first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method on a choice of features. `view`: "last layer", "stages" or "stages and places"."""

    method: str
    view: str

    @property
    def name(self) -> str:
        return f"{self.method} on {self.view}"


VIEWS = {
    "last layer": ("mean",),
    "stages": ("mean", "std"),
    "stages and places": ("mean", "std", "grid"),
}

VIEW_WORDS = {
    "last layer": "the network's last layer",
    "stages": "several stages of the network",
    "stages and places": "several stages of the network with their places in the picture",
}


def blocks_of(view: str, layout: dict[str, slice]) -> tuple[str, ...]:
    """The blocks of features that a view takes, in column order."""
    blocks = [block for block in layout if block != CONFIDENCE]
    if view == "last layer":
        return (blocks[-1],)
    return tuple(block for block in blocks if block.rpartition(".")[2] in VIEWS[view])


def similarity(confidence: Sequence[float]) -> float:
    """How much photos look like ImageNet, 0..1: the mean probability of the network's first guess.

    A network is sure of pictures like those it was trained on, and unsure of others (Hendrycks
    and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", ICLR
    2017, section 3.2). `confidence`: that probability for each photo.
    """
    return float(sum(confidence) / len(confidence)) if len(confidence) else 0.0


def candidates(method: str, per_class: float, like_imagenet: float) -> list[Candidate]:
    """What to try, the most promising first; a budget may end the list early.

    `per_class`: median number of photos per class. `like_imagenet`: see `similarity`.
    """
    if method != "auto":
        make_method(method)
        return [Candidate(method, view) for view in VIEWS]
    last = Candidate("logistic", "last layer")
    stages = [Candidate("svm", "stages"), Candidate("svm", "stages and places")]
    more = [Candidate("logistic", "stages"), Candidate("logistic", "stages and places")]
    quick = [Candidate("prototypes", "last layer"), Candidate("knn", "last layer")]
    if per_class < FEW_PHOTOS:
        return [*quick, last, *stages, *more]
    if like_imagenet >= LIKE_IMAGENET:
        return [last, *stages, *quick, *more]
    return [*stages, last, *more, *quick]
