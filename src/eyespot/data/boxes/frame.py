"""Place boxes in the pixels of the upright photo, whatever pixels the annotation counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from eyespot.data.boxes.entries import Entry
from eyespot.data.boxes.problems import Problems
from eyespot.data.decode import decode, orientation_of
from eyespot.data.formats import sniff
from eyespot.data.photos import FileSource, Photo
from eyespot.data.pillow import open_image
from eyespot.errors import PhotoError
from eyespot.files import open_file

Size = tuple[int, int]
"""Width and height in pixels."""

SAME_ASPECT = 0.01
"""Largest relative difference of the aspect ratios of a photo and its resized version."""
_MAY_TURN = (b"eXIf", b"EXIF", b"Exif", b"XML:com.adobe.xmp", b"Raw profile type")
"""Without one of these, a PNG, WebP or other file has no orientation; Pillow decodes a PNG to look
for it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`stored`: the size of an image as its file stores it. `orientation`: 1 to 8, of EXIF."""

    stored: Size
    orientation: int = 1

    @property
    def upright(self) -> Size:
        return self.stored[::-1] if self.orientation >= 5 else self.stored


def frame_of(photo: Photo) -> Frame:
    """The size and orientation of a photo, from the header of a file. Raises PhotoError."""
    if isinstance(photo.source, FileSource):
        try:
            with open_file(photo.source.path) as file:
                if sniff(file.read(32)) == "JPEG":
                    file.seek(0)
                    with JpegImageFile(file) as image:
                        return Frame(image.size, orientation_of(image))
        except Exception:  # noqa: S110 - Pillow raises anything; reading and decoding report it
            pass
    data = photo.read()
    kind = sniff(data) if isinstance(data, bytes) else None
    if isinstance(data, bytes) and kind in ("PNG", "WebP", "BMP", "GIF"):
        other = open_image(data, kind)
        turned = any(mark in data for mark in _MAY_TURN)
        return Frame(other.size, orientation_of(other) if turned else 1)
    decoded = decode(data)
    return Frame((decoded.width, decoded.height))


def upright_boxes(entry: Entry, frame: Frame, problems: Problems) -> NDArray[np.float64]:
    """The boxes of an entry, float64 [n, 4], in pixels of the upright photo.

    The stated size tells whether boxes were drawn on the upright photo or on the stored one; where
    both have the same size, boxes that fit only one do. Raises PhotoError if the photo has
    another size and shape than the annotation states.
    """
    boxes, name = entry.boxes, entry.photo.name
    if entry.upright:
        return boxes
    drawn, proven = _drawn_on(entry, frame)
    if entry.unit == "share":
        boxes = boxes * np.array([*drawn, *drawn])
    elif entry.size and not _same(entry.size, drawn):
        if not _fits(boxes, entry.size) and _fits(boxes, drawn):
            problems.add("wrong size", name)
        else:
            boxes = boxes * np.tile(np.array(drawn) / np.array(entry.size), 2)
            problems.add("scaled", name)
    if drawn != frame.upright:
        problems.add("turned", name)
        return turned(boxes, frame)
    if frame.orientation != 1 and not proven and len(boxes):
        problems.add("turned perhaps", name)
    return boxes


def _drawn_on(entry: Entry, frame: Frame) -> tuple[Size, bool]:
    """The size of the image that boxes were drawn on, upright or stored, and whether the
    annotation proves which of the two it was."""
    ways = list(dict.fromkeys((frame.upright, frame.stored)))
    size, boxes = entry.size, entry.boxes
    if size is None:
        fitting = [way for way in ways if entry.unit == "share" or _fits(boxes, way)]
        return (fitting or ways)[0], len(ways) == 2 and len(fitting) == 1
    exact = [way for way in ways if _same(size, way)]
    alike = [way for way in ways if _same_aspect(size, way)]
    if exact or alike:
        return (exact or alike)[0], len(ways) == 2
    if entry.unit == "pixels" and not _fits(boxes, size) and _fits(boxes, ways[0]):
        return ways[0], False
    raise PhotoError(
        f"annotated at {size[0]:,} × {size[1]:,} pixels, but the photo has {ways[0][0]:,} × "
        f"{ways[0][1]:,}: its boxes cannot be placed"
    )


def turned(boxes: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    """Boxes [n, 4] of the stored image in the upright one (Exif 2.32, section 4.6.5)."""
    width, height = frame.stored
    x, y = boxes[:, ::2], boxes[:, 1::2]
    new_x, new_y = {
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }.get(frame.orientation, (x, y))
    lows = (new_x.min(axis=1), new_y.min(axis=1))
    return np.stack([*lows, new_x.max(axis=1), new_y.max(axis=1)], axis=1)


def _same(one: Size, other: Size) -> bool:
    """Equal but for a rounded pixel."""
    return all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True))


def _same_aspect(one: Size, other: Size) -> bool:
    a, b = one[0] * other[1], other[0] * one[1]
    return abs(a - b) <= SAME_ASPECT * max(a, b)


def _fits(boxes: NDArray[np.float64], size: Size) -> bool:
    return bool(np.all(boxes[:, 2:] <= np.array(size) + 1.5))
