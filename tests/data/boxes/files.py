"""Small datasets of boxes in each format, made on the spot."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from eyespot.data.boxes.dataset import BoxDataset
from tests.data.files import encode, sample_image

WIDTH, HEIGHT = 64, 48
Box = tuple[float, float, float, float, str]
CAT: Box = (10, 20, 30, 40, "cat")
DOG: Box = (0, 0, 64, 8, "dog")


def photo(path: Path, width: int = WIDTH, height: int = HEIGHT, orientation: int = 1) -> Path:
    """A photo at `path`, with the folders it needs. A comment makes each JPEG different."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sample_image(width, height)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.write_bytes(encode(image, "JPEG", exif=exif, comment=path.as_posix().encode()))
    return path


def voc(
    path: Path, boxes: Sequence[Box], size: tuple[int, int] | None = (WIDTH, HEIGHT), **more: str
) -> Path:
    """An XML file; boxes are written as they are."""
    things = "".join(
        f"<object><name>{label}</name>{more.get('object', '')}<bndbox><xmin>{a}</xmin>"
        f"<ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for a, b, c, d, label in boxes
    )
    stated = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    name = more.get("filename", f"{path.stem}.jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"<annotation><filename>{name}</filename>{stated}{things}</annotation>"
    path.write_text(text, encoding="utf-8")
    return path


def coco(
    path: Path,
    photos: Mapping[str, Sequence[Box]],
    size: tuple[int, int] = (WIDTH, HEIGHT),
    **more: Any,
) -> Path:
    """A JSON file; `more` goes into each annotation."""
    labels = sorted({box[4] for boxes in photos.values() for box in boxes}) or ["cat"]
    images, annotations = [], []
    for number, (name, boxes) in enumerate(photos.items(), start=7):
        images.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
        annotations += [
            {
                "image_id": number,
                "category_id": labels.index(label) + 3,
                "bbox": [a, b, c - a, d - b],
                **more,
            }
            for a, b, c, d, label in boxes
        ]
    categories = [{"id": number, "name": name} for number, name in enumerate(labels, start=3)]
    whole = {"images": images, "annotations": annotations, "categories": categories}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole))
    return path


def yolo(path: Path, boxes: Sequence[Box], names: Sequence[str] = ("cat", "dog")) -> Path:
    """A label file of a photo of WIDTH x HEIGHT."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(
            f"{names.index(label)} {(a + c) / 2 / WIDTH} {(b + d) / 2 / HEIGHT} "
            f"{(c - a) / WIDTH} {(d - b) / HEIGHT}\n"
            for a, b, c, d, label in boxes
        )
    )
    return path


def boxes_of(dataset: BoxDataset) -> dict[str, list[Box]]:
    """Boxes and labels by the photo's name."""
    return {
        one.photo.name: [
            (*(round(side, 3) for side in box), label)
            for box, label in zip(one.boxes.tolist(), one.labels, strict=True)
        ]
        for one in dataset.photos
    }


def splits_of(dataset: BoxDataset) -> dict[str, str | None]:
    return {one.photo.name: one.photo.split for one in dataset.photos}


def told(dataset: BoxDataset) -> dict[str, str]:
    """Findings by kind."""
    return {finding.kind: finding.message for finding in dataset.findings}


def reasons(dataset: BoxDataset) -> dict[str, str]:
    return {one.path: one.reason for one in dataset.skipped}
