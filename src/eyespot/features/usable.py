"""Check that features are finite and fit half precision; those of damaged weights may not."""

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import WeightsError

LARGEST = float(np.finfo(np.float16).max)


def fault_of(features: NDArray[np.floating]) -> str:
    """Why a photo's features [D] cannot be used; empty if they can."""
    if (np.abs(features) <= LARGEST).all():  # no NaN is
        return ""
    problem = f"beyond {LARGEST:,.0f}" if np.isfinite(features).all() else "NaN or infinite"
    return (
        f"the network's features of this photo are {problem}: its weights are damaged or of "
        "another network; train or import them again, or choose another network"
    )


def expect_usable(features: NDArray[np.float32], network: str) -> NDArray[np.float32]:
    """Return `features`, of any shape. Raises WeightsError if heads cannot use them."""
    if fault := fault_of(features):
        raise WeightsError(f"{network} cannot be used: {fault}.")
    return features
