"""Read the directories of a TIFF file: the tags of each image, and the positions of its parts.

TIFF 6.0 (Adobe, 1992), section 2, and BigTIFF, whose offsets have 64 bits.
"""

import struct
from dataclasses import dataclass

import numpy as np

from eyespot.limits import MAX_TIFF_DIRECTORIES

_TYPES = {1: "u1", 2: "u1", 3: "u2", 4: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4"} | {
    13: "u4",
    16: "u8",
    17: "i8",
    18: "u8",
}
"""NumPy's names of the integer types (TIFF 6.0, page 15); fractions and floats are not needed."""

SUBFILE, OLD_SUBFILE, SUB_DIRECTORIES = 254, 255, 330


class DamagedTiffError(Exception):
    """The directories or parts of a TIFF are damaged or missing."""


@dataclass(frozen=True, slots=True)
class Directory:
    """One image in a TIFF file. `at`: position of the directory. `order`: "<" or ">". `entries`:
    type, count and position of each tag's values."""

    data: bytes
    at: int
    order: str
    entries: dict[int, tuple[int, int, int]]
    next: int

    def values(self, tag: int, *default: int) -> tuple[int, ...]:
        """A tag's integers, or `default`. Raises DamagedTiffError."""
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        if kind not in _TYPES or not count:
            return default
        dtype = np.dtype(self.order + _TYPES[kind])
        if place + count * dtype.itemsize > len(self.data):
            raise DamagedTiffError(f"tag {tag} is outside the file")
        return tuple(np.frombuffer(self.data, dtype, count, place).tolist())

    def value(self, tag: int, default: int) -> int:
        """A tag's first integer, or `default`. Raises DamagedTiffError."""
        return self.values(tag, default)[0]

    def count(self, tag: int) -> int:
        """How many values a tag has."""
        return self.entries.get(tag, (0, 0, 0))[1]

    @property
    def is_whole(self) -> bool:
        """Neither a reduced version of another image nor a mask (TIFF 6.0, page 36)."""
        return not self.value(SUBFILE, 0) & 0b101 and self.value(OLD_SUBFILE, 1) != 2


def main_directory(data: bytes) -> Directory:
    """The first full-size image; a preview may precede it. Raises DamagedTiffError."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        waiting = [*struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)]
        read: dict[int, Directory] = {}
        while waiting and len(read) < MAX_TIFF_DIRECTORIES:
            place = waiting.pop(0)
            if place == 0 or place in read:
                continue
            read[place] = found = _read(data, place, order, big)
            if found.is_whole:
                return found
            waiting += [found.next, *found.values(SUB_DIRECTORIES)]
        return next(iter(read.values()))
    except (struct.error, OverflowError, StopIteration) as error:
        raise DamagedTiffError("a directory is outside the file") from error


def beginning_with(directory: Directory) -> bytes:
    """The file with this image as its first."""
    data, order = directory.data, directory.order
    place, number = (8, "Q") if data[2:4] in (b"+\0", b"\0+") else (4, "I")
    start = struct.pack(order + number, directory.at)
    if data.startswith(start, place):
        return data
    return data[:place] + start + data[place + len(start) :]


def _read(data: bytes, start: int, order: str, big: bool) -> Directory:
    number, entry, room = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    (count,) = struct.unpack_from(order + number, data, start)
    place = start + struct.calcsize(order + number)
    size = struct.calcsize(order + entry) + room
    end = place + count * size
    if end > len(data):
        raise DamagedTiffError("a directory is outside the file")
    entries: dict[int, tuple[int, int, int]] = {}
    for at in range(place, end, size):
        tag, kind, values = struct.unpack_from(order + entry, data, at)
        inside = at + size - room
        width = np.dtype(_TYPES[kind]).itemsize if kind in _TYPES else 8
        if values * width > room:
            (inside,) = struct.unpack_from(order + entry[-1], data, inside)
        entries.setdefault(tag, (kind, values, inside))
    following = data[end : end + room]
    (after,) = struct.unpack(order + entry[-1], following) if following else (0,)
    return Directory(data, start, order, entries, after)
