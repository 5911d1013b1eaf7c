"""Photos that look like no other."""

import numpy as np
from numpy.typing import NDArray

REACH = 1.5


def find_outliers(familiarity: NDArray[np.floating]) -> list[int]:
    """Photos that are far less familiar than most, the least familiar first.

    `familiarity`: [n], of each photo with the others. Below the lower fence of a box plot (Tukey,
    "Exploratory Data Analysis", 1977, section 2C): REACH times the middle half's width below it.
    NaN is passed over.
    """
    known = familiarity[~np.isnan(familiarity)]
    if len(known) < 4:  # no middle half to speak of
        return []
    low, high = np.quantile(known, [0.25, 0.75])
    far = np.flatnonzero(familiarity < low - REACH * (high - low))
    order = np.argsort(familiarity[far], kind="stable")
    return [int(index) for index in far[order]]
