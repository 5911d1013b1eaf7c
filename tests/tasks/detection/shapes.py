"""Photos of coloured discs and squares on photographed surfaces, with their boxes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.data.photos import MemorySource, Photo
from tests.pictures import patches

COLOURS = {"disc": (220, 40, 40), "square": (40, 60, 220)}


def shapes(count: int, seed: int = 0, side: int = 128) -> list[AnnotatedPhoto]:
    """`count` photos, each of one to three shapes that do not touch."""
    random = np.random.default_rng(seed)
    photos = []
    for number, patch in enumerate(patches("gravel", count, side=side, seed=seed)):
        image = Image.fromarray(patch)
        pen = ImageDraw.Draw(image)
        boxes, labels = [], []
        for quarter in random.permutation(4)[: random.integers(1, 4)]:
            size = int(random.integers(24, 44))
            corner = np.array(divmod(int(quarter), 2)) * side // 2
            x, y = (corner + random.integers(2, side // 2 - size - 2, 2)).tolist()
            label = str(random.choice(list(COLOURS)))
            draw = pen.ellipse if label == "disc" else pen.rectangle
            draw((x, y, x + size - 1, y + size - 1), fill=COLOURS[label])
            boxes.append((x, y, x + size, y + size))
            labels.append(label)
        photos.append(annotated(f"{number}.png", np.asarray(image), boxes, labels))
    return photos


def split(photos: list[AnnotatedPhoto], test: int) -> list[AnnotatedPhoto]:
    """The first `test` photos are the test split."""
    names = ["test"] * test + ["train"] * (len(photos) - test)
    return [
        replace(one, photo=replace(one.photo, split=name))
        for one, name in zip(photos, names, strict=True)
    ]


def annotated(
    name: str,
    pixels: NDArray[np.uint8],
    boxes: list[tuple[int, int, int, int]],
    labels: list[str],
    split: str | None = None,
) -> AnnotatedPhoto:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    photo = Photo(name, MemorySource(pixels), split=split)
    return AnnotatedPhoto(photo, corners, tuple(labels), np.zeros(len(boxes), bool))


def write_voc(folder: Path, photos: list[AnnotatedPhoto]) -> Path:
    """As PNG files with Pascal VOC annotations beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for photo in photos:
        pixels = photo.photo.read()
        assert isinstance(pixels, np.ndarray)
        Image.fromarray(pixels).save(folder / photo.photo.name)
        height, width = pixels.shape[:2]
        things = "".join(
            f"<object><name>{label}</name><bndbox><xmin>{box[0] + 1:.0f}</xmin>"
            f"<ymin>{box[1] + 1:.0f}</ymin><xmax>{box[2]:.0f}</xmax><ymax>{box[3]:.0f}</ymax>"
            "</bndbox></object>"
            for box, label in zip(photo.boxes, photo.labels, strict=True)
        )
        text = (
            f"<annotation><filename>{photo.photo.name}</filename><size><width>{width}</width>"
            f"<height>{height}</height></size>{things}</annotation>"
        )
        (folder / photo.photo.name).with_suffix(".xml").write_text(text)
    return folder
