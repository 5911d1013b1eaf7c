"""The confusion matrix of an evaluation, for the macro `confusions`."""

from typing import Any

import numpy as np

from eyespot.evaluation import Evaluation, confused_pairs

MATRIX_CLASSES = 30
"""With more classes the page lists the most frequent confusions, and shows no matrix."""
PAIRS, PAIRS_BESIDE_MATRIX = 20, 8


def confusions(evaluation: Evaluation) -> dict[str, Any]:
    """`matrix` (None for many classes) and `pairs`."""
    classes = evaluation.classes
    matrix = _matrix(evaluation) if len(classes) <= MATRIX_CLASSES else None
    pairs = confused_pairs(evaluation)[: PAIRS_BESIDE_MATRIX if matrix else PAIRS]
    return {
        "matrix": matrix,
        "pairs": [
            {"actual": classes[actual], "predicted": classes[predicted], "count": count}
            for actual, predicted, count in pairs
        ],
    }


def _matrix(evaluation: Evaluation) -> list[list[dict[str, Any]]]:
    """Rows of cells: the count, and its share of the row as the strength of the colour."""
    confusion = evaluation.confusion
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return [
        [
            {
                "count": int(confusion[row, column]),
                "shade": round(float(shares[row, column]), 3),
                "kind": "right" if row == column else "wrong",
            }
            for column in range(len(confusion))
        ]
        for row in range(len(confusion))
    ]
