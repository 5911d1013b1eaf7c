"""Classifiers whose reasons are known, because their network is a line of numpy."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from eyespot.data.transforms import Preprocessing
from eyespot.features.backbone import Backbone
from eyespot.heads.scorers import LinearScorer
from eyespot.tasks.classification.classifier import Classifier, Recipe

SIZE = 16
GREY = 128
PIXELS = Preprocessing(SIZE, (float(GREY),) * 3, (255.0,) * 3, fit="stretch")


@dataclass
class PretendEngine:
    """`see`: uint8 [S, S, 3] -> a few numbers."""

    see: Callable[[np.ndarray], list[float]]
    layout: dict[str, slice]
    name: str = "pretended"
    workers: int = 2
    batch: int = 4
    asked: list[np.ndarray] = field(default_factory=list)

    def run(self, pictures: np.ndarray) -> np.ndarray:
        self.asked.extend(pictures)
        return np.array([self.see(picture) for picture in pictures], np.float32)


def pretend(see: Callable[[np.ndarray], list[float]], weights: list[list[float]]) -> Classifier:
    """A classifier of classes a, b, ... with scores sqrt(see(picture)) @ weights."""
    matrix = np.array(weights, np.float32)
    return Classifier(
        classes=tuple("abc"[: matrix.shape[1]]),
        backbone=Backbone("pretended", "0" * 64, PIXELS, ("last.mean",)),
        recipe=Recipe("svm", ("last.mean",), 1.0),
        scorer=LinearScorer(matrix, np.zeros(matrix.shape[1], np.float32)),
        _engine=PretendEngine(see, {"last.mean": slice(0, len(matrix))}),
    )
