"""Outliers: photos unlike all others."""

import numpy as np

from eyespot.arrays import Floats

REACH = 1.5


def find_outliers(ood_scores: Floats) -> list[int]:
    """Photos with a far higher OOD score than most, the highest first.

    `ood_scores`: [n], of each photo against the others. Above the upper fence of a box plot (Tukey,
    "Exploratory Data Analysis", 1977, section 2C): REACH times the interquartile range above it.
    NaN is skipped.
    """
    known = ood_scores[~np.isnan(ood_scores)]
    if len(known) < 4:  # no meaningful quartiles
        return []
    low, high = np.quantile(known, [0.25, 0.75])
    far = np.flatnonzero(ood_scores > high + REACH * (high - low))
    order = np.argsort(-ood_scores[far], kind="stable")
    return [int(index) for index in far[order]]
