"""Features that heads can use: finite, and small enough for the half precision in which they are
kept. A network whose weights are damaged, or were scaled, gives others."""

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import WeightsError

LARGEST = float(np.finfo(np.float16).max)


def fault_of(features: NDArray[np.floating]) -> str:
    """Why a photo's features [D] cannot be used; empty if they can."""
    if (np.abs(features) <= LARGEST).all():  # no NaN is
        return ""
    what = f"beyond {LARGEST:,.0f}" if np.isfinite(features).all() else "NaN or infinite"
    return (
        f"the network's features of this photo are {what}: its weights are damaged or of another "
        "network; train or import them again, or choose another network"
    )


def expect_usable(features: NDArray[np.float32], network: str) -> NDArray[np.float32]:
    """`features`, of any shape. Raises WeightsError if heads cannot use them."""
    if fault := fault_of(features):
        raise WeightsError(f"{network} cannot be used: {fault}.")
    return features
