"""What is taken for what, as a page shows it."""

from typing import Any

import numpy as np

from eyespot.evaluation import Evaluation, confused_pairs

MATRIX_CLASSES = 30
"""More classes than this make no readable table; the most confused pairs stand instead."""
PAIRS = 20


def confusions(evaluation: Evaluation) -> dict[str, Any]:
    """`matrix` and `pairs` for the part of the same name of a page."""
    classes = evaluation.classes
    return {
        "matrix": _matrix(evaluation) if len(classes) <= MATRIX_CLASSES else None,
        "pairs": [
            {"true": classes[t], "said": classes[s], "count": n}
            for t, s, n in confused_pairs(evaluation)[:PAIRS]
        ],
    }


def _matrix(evaluation: Evaluation) -> list[list[dict[str, Any]]]:
    """Rows of cells: the count, and how strong the colour is (share of the row)."""
    confusion = evaluation.confusion
    totals = np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return [
        [
            {
                "count": int(count),
                "shade": round(float(share), 3),
                "kind": "right" if row == column else "wrong",
            }
            for column, (count, share) in enumerate(zip(counts, shares, strict=True))
        ]
        for row, (counts, shares) in enumerate(zip(confusion, confusion / totals, strict=True))
    ]
