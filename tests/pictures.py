"""Small real pictures for tests: patches of scikit-image's photographed surfaces."""

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data


def patches(name: str, count: int, side: int = 96, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Patches uint8 RGB [side, side, 3] of the surface `name`: brick, grass or gravel."""
    image = _surface(name)
    corners = np.random.default_rng(seed).integers(0, 512 - side, (count, 2))
    return [image[y : y + side, x : x + side].copy() for y, x in corners]


@functools.cache
def _surface(name: str) -> NDArray[np.uint8]:
    grey = getattr(data, name)()
    return np.repeat(grey[:, :, None], 3, axis=2) if grey.ndim == 2 else grey


def write_folder(root: Path, count: int = 12, names: tuple[str, ...] = ("brick", "grass")) -> Path:
    """A folder per surface with `count` PNG files each."""
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number, patch in enumerate(patches(name, count)):
            Image.fromarray(patch).save(root / name / f"{number}.png")
    return root
