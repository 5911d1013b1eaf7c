"""Small photos for tests of Teach, as frames of a camera and as files."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.studio.project import Project
from tests.pictures import patches

NAMES = ("brick", "grass", "gravel")


def encoded(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def files(
    surface: str, count: int, seed: int = 0, tint: tuple[float, float, float] = (1, 1, 1)
) -> list[tuple[str, bytes]]:
    """(name, file) of `count` different photos of a surface, in a light of the colour `tint`."""
    pixels = [(patch * tint).astype(np.uint8) for patch in patches(surface, count, 40, seed)]
    return [(f"{surface} {number}.png", encoded(one)) for number, one in enumerate(pixels)]


def recording(surface: str, count: int, seed: int) -> list[tuple[str, bytes]]:
    """Frames of one burst: a camera that moves over the surface, three pixels at a time."""
    (scene,) = patches(surface, 1, side=40 + 3 * count, seed=seed)
    steps = [3 * number for number in range(count)]
    return [("frame", encoded(scene[at : at + 40, at : at + 40])) for at in steps]


def add_classes(project: Project, count: int, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    """A class per surface with `count` files each; their ids by name."""
    ids = {name: project.add_class(name) for name in names}
    for name, id in ids.items():
        if count:
            project.add_photos(id, files(name, count))
    return ids
