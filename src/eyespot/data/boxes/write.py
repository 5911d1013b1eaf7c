"""Write photos with boxes as COCO, Pascal VOC or YOLO."""

import io
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, get_args
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from PIL import Image

from eyespot.data.boxes.dataset import AnnotatedPhoto, BoxDataset
from eyespot.data.boxes.frame import Size, frame_of
from eyespot.data.decode import decode
from eyespot.data.finding import Finding
from eyespot.data.formats import EXTENSIONS, sniff
from eyespot.data.photos import Photo, printable
from eyespot.errors import DatasetError, PhotoError, UsageError
from eyespot.shown import counted, reason_of, sentence, shown

BoxFormat = Literal["coco", "voc", "yolo"]

LONGEST_STEM = 100
"""Characters of a photo's file name without ending."""
_UNSAFE = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class _Written:
    """A photo whose file is written. `file`: from the root, with slashes."""

    file: PurePosixPath
    size: Size
    split: str | None
    annotated: AnnotatedPhoto


def write_boxes(
    dataset: BoxDataset, path: str | Path, to: BoxFormat = "coco"
) -> tuple[Finding, ...]:
    """Write photos and boxes into a new folder, which appears only when it is complete.

    `to`: "coco" (annotations/instances_SPLIT.json, images/), "voc" (Annotations/, JPEGImages/,
    ImageSets/Main/; whole pixels from 1) or "yolo" (data.yaml, images/, labels/). Files of photos
    are copied unchanged; arrays become PNG. File names are shortened and made unique.
    Returns findings about anything that the format cannot hold. Raises UsageError for another
    format or a folder that exists and is not empty, and DatasetError if a photo cannot be read or
    the folder not be written.
    """
    if to not in _WRITERS:
        raise UsageError(f"Expected one of {', '.join(get_args(BoxFormat))}, got {shown(to)}.")
    root = Path(path).absolute()
    if root.exists() and not (root.is_dir() and not any(root.iterdir())):
        raise UsageError(f"{printable(path)} exists already. Name a new folder.")
    draft = root.with_name(f".{os.urandom(6).hex()}.part")
    try:
        draft.mkdir(parents=True)
        findings = _write(dataset, draft, to)
        if root.exists():
            root.rmdir()
        draft.rename(root)
    except OSError as error:
        raise DatasetError(
            f"{printable(path)} cannot be written: {sentence(reason_of(error))}"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return findings


def _write(dataset: BoxDataset, root: Path, to: BoxFormat) -> tuple[Finding, ...]:
    findings = []
    splits = {one.photo.split for one in dataset.photos}
    unassigned = sum(one.photo.split is None for one in dataset.photos)
    if len(splits) > 1 and unassigned:
        message = f"{counted(unassigned)} without a split written as training photos."
        findings.append(Finding("splits", "note", message))
    default = "train" if len(splits) > 1 else None
    stems: set[str] = set()
    written = []
    for one in dataset.photos:
        split = one.photo.split or default
        data, ending = _content(one.photo)
        folder = "JPEGImages" if to == "voc" else f"images/{split}" if split else "images"
        file = PurePosixPath(folder) / f"{_stem(one.photo.name, stems)}{ending}"
        _save(root / file, data)
        written.append(_Written(file, frame_of(one.photo).upright, split, one))
    lost = sum(int(one.ignored.sum()) for one in dataset.photos) if to == "yolo" else 0
    if lost:
        message = f"{counted(lost, 'ignored box', 'ignored boxes')} left out: YOLO has none."
        findings.append(Finding("ignored", "warning", message))
    _WRITERS[to](root, written, dataset.classes)
    return tuple(findings)


def _content(photo: Photo) -> tuple[bytes, str]:
    """The file of a photo and its ending."""
    try:
        data = photo.read()
        if isinstance(data, np.ndarray):
            buffer = io.BytesIO()
            Image.fromarray(decode(data).pixels).save(buffer, "PNG")
            return buffer.getvalue(), ".png"
    except PhotoError as error:
        raise DatasetError(f"{photo.name}: {sentence(error)}") from error
    ending = PurePosixPath(photo.name).suffix.lower()
    kind = sniff(data)
    usual = next((end for end, named in EXTENSIONS.items() if named == kind), ".jpg")
    return data, ending if ending in EXTENSIONS else usual


def _stem(name: str, taken: set[str]) -> str:
    """A file name that every system allows and no other photo has."""
    path = PurePosixPath(name.replace("\\", "/"))
    bare = path.stem if path.suffix.lower() in EXTENSIONS else path.name
    start = _UNSAFE.sub("_", bare)[:LONGEST_STEM] or "photo"
    stem, number = start, 2
    while stem.casefold() in taken:
        stem, number = f"{start}-{number}", number + 1
    taken.add(stem.casefold())
    return stem


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _write_coco(root: Path, written: Sequence[_Written], classes: Sequence[str]) -> None:
    numbers = {name: number for number, name in enumerate(classes, start=1)}
    for split in dict.fromkeys(one.split for one in written):
        images: list[dict[str, object]] = []
        annotations: list[dict[str, object]] = []
        for one in (one for one in written if one.split == split):
            image = {"id": len(images) + 1, "file_name": one.file.name}
            images.append({**image, "width": one.size[0], "height": one.size[1]})
            for box, label, ignored in _boxes(one):
                xmin, ymin, xmax, ymax = box
                width, height = xmax - xmin, ymax - ymin
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": len(images),
                        "category_id": numbers[label],
                        "bbox": [round(side, 3) for side in (xmin, ymin, width, height)],
                        "area": round(width * height, 3),
                        "iscrowd": int(ignored),
                    }
                )
        categories = [{"id": number, "name": name} for name, number in numbers.items()]
        whole = {"images": images, "annotations": annotations, "categories": categories}
        text = json.dumps(whole, ensure_ascii=False)
        _save(root / f"annotations/instances_{split or 'default'}.json", text.encode())


def _write_voc(root: Path, written: Sequence[_Written], classes: Sequence[str]) -> None:
    lists: dict[str, list[str]] = {}
    for one in written:
        if one.split:
            lists.setdefault(one.split, []).append(one.file.stem)
        about = Element("annotation")
        SubElement(about, "folder").text = "JPEGImages"
        SubElement(about, "filename").text = one.file.name
        size = SubElement(about, "size")
        for key, side in zip(("width", "height", "depth"), (*one.size, 3), strict=True):
            SubElement(size, key).text = str(side)
        for box, label, ignored in _boxes(one):
            thing = SubElement(about, "object")
            SubElement(thing, "name").text = label
            SubElement(thing, "difficult").text = str(int(ignored))
            xmin, ymin, xmax, ymax = map(round, box)
            # At least a pixel; the first is 1, and the last is inside.
            first = min(xmin, one.size[0] - 1) + 1, min(ymin, one.size[1] - 1) + 1
            last = max(xmax, first[0]), max(ymax, first[1])
            place = SubElement(thing, "bndbox")
            for key, side in zip(("xmin", "ymin", "xmax", "ymax"), (*first, *last), strict=True):
                SubElement(place, key).text = str(side)
        indent(about)
        _save(root / f"Annotations/{one.file.stem}.xml", tostring(about, "utf-8"))
    for split, names in lists.items():
        text = "".join(f"{name}\n" for name in names)
        _save(root / f"ImageSets/Main/{split}.txt", text.encode())


def _write_yolo(root: Path, written: Sequence[_Written], classes: Sequence[str]) -> None:
    for one in written:
        sides = np.array([*one.size, *one.size])
        lines = []
        for box, label, ignored in _boxes(one):
            xmin, ymin, xmax, ymax = np.array(box) / sides
            place = ((xmin + xmax) / 2, (ymin + ymax) / 2, xmax - xmin, ymax - ymin)
            line = f"{classes.index(label)} {' '.join(f'{share:.8g}' for share in place)}\n"
            lines += [] if ignored else [line]
        labels = PurePosixPath("labels", *one.file.parts[1:]).with_suffix(".txt")
        _save(root / labels, "".join(lines).encode())
    splits = dict.fromkeys(one.split for one in written)
    places = [f"{split or 'train'}: images{f'/{split}' if split else ''}\n" for split in splits]
    # A JSON text is a YAML text in double quotes.
    names = [f"  {n}: {json.dumps(name, ensure_ascii=False)}\n" for n, name in enumerate(classes)]
    _save(root / "data.yaml", "".join([*places, "names:\n", *names]).encode())


def _boxes(one: _Written) -> list[tuple[list[float], str, bool]]:
    photo = one.annotated
    return list(zip(photo.boxes.tolist(), photo.labels, photo.ignored.tolist(), strict=True))


_WRITERS: dict[str, Callable[[Path, Sequence[_Written], Sequence[str]], None]] = {
    "coco": _write_coco,
    "voc": _write_voc,
    "yolo": _write_yolo,
}
