"""Find the files of boxes in a folder, by their content, and their format."""

import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from eyespot.data.boxes.coco import read_coco
from eyespot.data.boxes.csv import has_boxes, read_csv
from eyespot.data.boxes.cvat import read_cvat
from eyespot.data.boxes.entries import Annotations
from eyespot.data.boxes.label_studio import read_label_studio
from eyespot.data.boxes.tree import Tree
from eyespot.data.boxes.voc import read_voc
from eyespot.data.boxes.yolo import NAMES_FILES, read_yolo
from eyespot.data.text import decode_text
from eyespot.files import expect_file, open_file

READERS: dict[str, Callable[[Tree, list[Path]], Annotations]] = {
    "Pascal VOC": read_voc,
    "COCO": read_coco,
    "YOLO": read_yolo,
    "Label Studio": read_label_studio,
    "CVAT": read_cvat,
    "CSV": read_csv,
}
SAMPLE = 20
"""Files of a folder and ending that are opened; further ones are of the same format."""
START = 65_536
"""Bytes at the start of a file that show its format."""
WHOLE = 8_000_000
"""Bytes up to which JSON is searched whole; of larger files, as many at both ends together."""

_XML = re.compile(rb"<(annotations?)[\s>]")
_JSON_WORDS = re.compile(rb'"(images|annotations|categories|bbox|rectanglelabels)"\s*[:,\]}]')
_YAML_NAMES = re.compile(r"^names\s*:", re.MULTILINE)
_YAML_OTHERS = re.compile(r"^(train|val|valid|test|path|nc)\s*:", re.MULTILINE)
_YOLO_LINE = re.compile(r"\d{1,9}(\.0+)?( +[-+]?\d*\.?\d+(e-?\d+)?){4,}\s*", re.IGNORECASE)


def formats_in(tree: Tree, only: Path | None = None) -> dict[str, list[Path]]:
    """The files of each format of READERS, in natural order. `only`: the one file of boxes or of
    class names to read."""
    found: dict[str, list[Path]] = {}
    for sniff, endings in (
        (_xml_format, (".xml",)),
        (_json_format, (".json",)),
        (_yaml_format, (".yaml", ".yml")),
        (_csv_format, (".csv", ".tsv")),
    ):
        files = [only] if only else tree.files(*endings)
        files = [file for file in files if file.suffix.lower() in endings]
        for _, group in groupby(files, key=lambda file: file.parent):
            own = list(group)
            known = {file: sniff(file) for file in own[:SAMPLE]}
            rest = next(filter(None, known.values()), None)
            for file in own:
                if name := known.get(file, rest):
                    found.setdefault(name, []).append(file)
    without_yaml = only is None or only.name in NAMES_FILES
    if "YOLO" not in found and without_yaml and (files := _yolo_without_yaml(tree)):
        found["YOLO"] = files
    return found


def _xml_format(file: Path) -> str | None:
    match = _XML.search(_start(file).replace(b"\0", b""))  # UTF-16
    return None if match is None else "Pascal VOC" if match[1] == b"annotation" else "CVAT"


def _json_format(file: Path) -> str | None:
    words = {match.decode() for match in _JSON_WORDS.findall(_ends(file))}
    if "rectanglelabels" in words:
        return "Label Studio"
    named = file.name.startswith("instances_") or file.name.endswith(".coco.json")
    is_coco = len(words & {"images", "annotations", "categories"}) >= 2
    return "COCO" if is_coco and ("bbox" in words or named) else None


def _yaml_format(file: Path) -> str | None:
    text = decode_text(_start(file))
    return "YOLO" if _YAML_NAMES.search(text) and _YAML_OTHERS.search(text) else None


def _csv_format(file: Path) -> str | None:
    start = _start(file)
    whole = start if len(start) < START else start[: start.rfind(b"\n") + 1]
    return "CSV" if has_boxes(decode_text(whole)) else None


def _yolo_without_yaml(tree: Tree) -> list[Path]:
    """The file of class names and the label files, if there are label files of photos."""
    texts = tree.files(".txt", ".names", ".labels")
    names = [file for file in texts if file.name in NAMES_FILES]
    labels = [file for file in texts if file not in names and tree.is_beside(file)]
    lines = [decode_text(_start(file)).partition("\n")[0].strip() for file in labels[:SAMPLE]]
    filled = [line for line in lines if line]
    return [*names, *labels] if filled and all(map(_YOLO_LINE.fullmatch, filled)) else []


def _start(file: Path) -> bytes:
    try:
        with open_file(file) as opened:
            return opened.read(START)
    except OSError:
        return b""


def _ends(file: Path) -> bytes:
    try:
        size = expect_file(file).st_size
        with open_file(file) as opened:
            if size <= WHOLE:
                return opened.read(WHOLE)
            start = opened.read(WHOLE // 2)
            opened.seek(-WHOLE // 2, 2)
            return start + opened.read(WHOLE // 2)
    except OSError:
        return b""
