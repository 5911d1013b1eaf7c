"""The confusion matrix of an evaluation, for the macro `confusions`."""

from typing import Any

import numpy as np

from eyespot.evaluation import Evaluation, confused_pairs

MATRIX_CLASSES = 30
"""With more classes the page lists the most frequent confusions, and shows no matrix."""
PAIRS, PAIRS_BESIDE_MATRIX = 20, 8


def confusions(evaluation: Evaluation) -> dict[str, Any]:
    """`matrix`: rows of (count, share of the row), None for many classes. `pairs`: confusions."""
    classes, confusion = evaluation.classes, evaluation.confusion
    matrix = None
    if len(classes) <= MATRIX_CLASSES:
        shares = (confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)).round(3)
        matrix = np.stack([confusion, shares], axis=2).tolist()
    pairs = confused_pairs(evaluation)[: PAIRS_BESIDE_MATRIX if matrix else PAIRS]
    return {
        "matrix": matrix,
        "pairs": [
            {"actual": classes[actual], "predicted": classes[predicted], "count": count}
            for actual, predicted, count in pairs
        ],
    }
