"""A small dataset of real textures, from the images of an installed package."""

from pathlib import Path

import numpy as np
from PIL import Image

from eyespot.errors import MissingExtraError

SURFACES = ("brick", "grass", "gravel")
SIDE, STEP = 96, 64
"""Side of a patch and distance between patches, in pixels."""


def write_textures(folder: Path) -> None:
    """Cut scikit-image's photos of surfaces (512 x 512) into patches, one class per photo.

    Training patches come from the left half of a photo, test patches from the right third: no
    pixel is in both. Raises MissingExtraError if scikit-image is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtraError("The demo", "demo") from error
    for name in SURFACES:
        image = np.asarray(getattr(data, name)())
        width = image.shape[1]
        for split, left, right in (("train", 0, width // 2), ("test", width * 2 // 3, width)):
            target = folder / split / name
            target.mkdir(parents=True, exist_ok=True)
            for row in range(0, image.shape[0] - SIDE + 1, STEP):
                for column in range(left, right - SIDE + 1, STEP // 2):
                    patch = image[row : row + SIDE, column : column + SIDE]
                    Image.fromarray(patch).save(target / f"{row:03}-{column:03}.png")
