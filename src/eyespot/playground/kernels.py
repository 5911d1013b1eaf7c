"""Well-known kernels by name, as they lie on the image (cross-correlation)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Kernel(NamedTuple):
    """`values`: float64 [3, 3], read-only. `text`: its effect."""

    values: NDArray[np.float64]
    text: str


def _kernel(text: str, rows: list[list[float]], divisor: float = 1.0) -> Kernel:
    values = np.array(rows) / divisor
    values.flags.writeable = False
    return Kernel(values, text)


KERNELS: dict[str, Kernel] = {
    "identity": _kernel("leaves the image as it is", [[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "box blur": _kernel("the mean of nine pixels", [[1, 1, 1], [1, 1, 1], [1, 1, 1]], 9),
    "Gaussian blur": _kernel(
        "a mean in which near pixels weigh more", [[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16
    ),
    "sharpen": _kernel(
        "adds the difference to the neighbours", [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    ),
    "Sobel x": _kernel(
        "how fast it gets brighter to the right", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    ),
    "Sobel y": _kernel("how fast it gets brighter downwards", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "Laplacian": _kernel(
        "the neighbours less the pixel: edges and spots", [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    ),
    "emboss": _kernel("as if light fell from the upper left", [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
}
"""In the order in which a page shows them."""
