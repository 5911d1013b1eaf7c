"""Read the samples of a TIFF from its strips or tiles.

Pillow's libtiff decompresses them: it receives the parts as a TIFF of plain bytes, so that every
compression works, and none returns more than the header of the file declares.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.tiff_directory import DamagedTiffError, Directory
from eyespot.errors import PhotoError
from eyespot.limits import MAX_FILE_PARTS

_AT_ONCE = 16_000_000
"""Bytes that are decompressed at a time, unless a part is larger."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _CHANNELS, _ROWS, _COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, _FORMAT = 322, 323, 324, 325, 339

_SORTS = {1: "u", 2: "i", 3: "f", 4: "u"}
"""NumPy's names of sample formats (TIFF 6.0, page 80); undefined ones count as unsigned."""
PACKED = {1: "", 5: "LZW", 8: "deflate", 32773: "PackBits"}
PACKED |= {32946: "deflate", 34925: "LZMA", 50000: "Zstandard"}
"""Lossless compressions that libtiff decompresses to samples."""
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Samples:
    """The layout of a TIFF's samples. `bits`, `formats`: of each channel, or once for all."""

    width: int
    height: int
    channels: int
    bits: tuple[int, ...]
    formats: tuple[int, ...]
    compression: int
    predictor: int
    order: str
    has_planes: bool

    @classmethod
    def of(cls, directory: Directory) -> "Samples":
        """Raises DamagedTiffError."""
        value, values = directory.value, directory.values
        found = cls(
            width=value(_WIDTH, 0),
            height=value(_HEIGHT, 0),
            channels=value(_CHANNELS, 1),
            bits=values(_BITS, 1),
            formats=values(_FORMAT, 1),
            compression=value(_COMPRESSION, 1),
            predictor=value(_PREDICTOR, 1),
            order=directory.order,
            has_planes=value(_PLANAR, 1) == 2 and value(_CHANNELS, 1) > 1,
        )
        if min(found.width, found.height, found.channels) < 1:
            raise DamagedTiffError("its size is missing")
        return found

    @property
    def sort(self) -> str:
        return _SORTS.get(self.formats[0], "")

    @property
    def size(self) -> int:
        """Bytes of a sample in memory, 0 if unsupported."""
        return next((size for size in (1, 2, 4, 8) if self.bits[0] <= 8 * size), 0)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(f"{self.order}{self.sort}{self.size}")

    @property
    def bytes(self) -> int:
        """Bytes of all samples in memory."""
        return self.width * self.height * self.channels * self.size

    @property
    def is_packed(self) -> bool:
        """Whether samples share bytes."""
        return self.bits[0] != 8 * self.size

    @property
    def can_be_read(self) -> bool:
        alike = len(set(self.bits)) == len(set(self.formats)) == 1
        if not alike or not self.sort or not self.size or self.compression not in PACKED:
            return False
        if self.is_packed:
            return self.sort == "u" and 0 < self.bits[0] < 16 and self.predictor == 1
        if self.sort == "f":
            return self.size > 1 and self.predictor in (1, 2, 3)
        return self.predictor in (1, 2)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Parts of `rows` x `columns` pixels, with one channel each if there are `planes`."""

    rows: int
    columns: int
    down: int
    across: int
    planes: int
    tiled: bool

    @classmethod
    def of(cls, directory: Directory, samples: Samples) -> "_Layout":
        tiled = _TILE_WIDTH in directory.entries
        if tiled:
            rows, columns = directory.value(_TILE_HEIGHT, 0), directory.value(_TILE_WIDTH, 0)
        else:
            rows, columns = directory.value(_ROWS, samples.height), samples.width
            rows = min(rows, samples.height)
        if rows < 1 or columns < 1:
            raise DamagedTiffError("its parts have no size")
        planes = samples.channels if samples.has_planes else 1
        down, across = -(-samples.height // rows), -(-samples.width // columns)
        return cls(rows, columns, down, across, planes, tiled)

    @property
    def count(self) -> int:
        return self.planes * self.down * self.across


def count_parts(directory: Directory, samples: Samples) -> int:
    """The number of strips or tiles. Raises DamagedTiffError."""
    return _Layout.of(directory, samples).count


def read_parts(directory: Directory, samples: Samples, most: int) -> NDArray[np.generic]:
    """All samples [H, W, channels]. `most`: bytes of one part.

    Raises PhotoError for too many or too large parts, DamagedTiffError.
    """
    layout = _Layout.of(directory, samples)
    each = samples.channels // layout.planes
    if layout.count > MAX_FILE_PARTS or layout.rows * layout.columns * each * samples.size > most:
        raise PhotoError(
            f"it has {layout.count:,} parts of {layout.columns} x {layout.rows} pixels, more or "
            "larger ones than supported; save it as PNG"
        )
    native = samples.dtype.newbyteorder("=")
    out = np.empty((samples.height, samples.width, samples.channels), native)
    for place, part in enumerate(_unpacked(directory, samples, layout)):
        plane, place = divmod(place, layout.down * layout.across)
        top, left = place // layout.across * layout.rows, place % layout.across * layout.columns
        area = out[top : top + layout.rows, left : left + layout.columns]
        values = _samples(part, samples, layout.columns, each)
        area[..., plane * each : (plane + 1) * each] = values[: len(area), : area.shape[1]]
    return out


def _unpacked(
    directory: Directory, samples: Samples, layout: _Layout
) -> Iterator[NDArray[np.uint8]]:
    """The bytes [rows, bytes per row] of each part; the last strip may have fewer rows."""
    width = -(-layout.columns * (samples.channels // layout.planes) * samples.bits[0] // 8)
    last = layout.rows if layout.tiled else samples.height - (layout.down - 1) * layout.rows
    together = max(1, _AT_ONCE // (layout.rows * width))
    group: list[bytes] = []
    for place, part in enumerate(_packed(directory, layout)):
        group.append(part)
        at_edge = place // layout.across % layout.down == layout.down - 1
        if at_edge and last < layout.rows:
            height = (len(group) - 1) * layout.rows + last
        elif len(group) == together or place == layout.count - 1:
            height = len(group) * layout.rows
        else:
            continue
        unpacked = _unpack(group, layout.rows, width, height, samples.compression)
        yield from (
            unpacked[start : start + layout.rows] for start in range(0, height, layout.rows)
        )
        group = []


def _packed(directory: Directory, layout: _Layout) -> Iterator[bytes]:
    """Each part as stored in the file."""
    data = directory.data
    places, lengths = (_TILE_OFFSETS, _TILE_COUNTS) if layout.tiled else (_OFFSETS, _COUNTS)
    if directory.count(places) != layout.count:
        raise DamagedTiffError(f"it has {directory.count(places):,} of {layout.count:,} parts")
    offsets = directory.values(places)
    if len(offsets) == 1:
        counts = directory.values(lengths, max(0, len(data) - offsets[0]))
    else:
        counts = directory.values(lengths)
    if len(counts) != len(offsets) or sum(counts) > len(data):
        raise DamagedTiffError("its parts are longer than the file")
    reversed_bits = directory.value(_FILL_ORDER, 1) == 2
    for offset, count in zip(offsets, counts, strict=True):
        part = data[offset : offset + count]
        if not part or len(part) < count:
            raise DamagedTiffError("a part of the image is missing")
        yield part.translate(_REVERSED) if reversed_bits else part


def _unpack(
    parts: list[bytes], rows: int, width: int, height: int, compression: int
) -> NDArray[np.uint8]:
    """Decompress strips or tiles of `rows` rows, the last perhaps fewer: bytes [height, width]."""
    if compression == 1:
        wanted = [rows * width] * (len(parts) - 1)
        wanted.append(height * width - sum(wanted))
        if any(len(part) < size for part, size in zip(parts, wanted, strict=True)):
            raise DamagedTiffError("a part of the image is missing")
        whole = b"".join(part[:size] for part, size in zip(parts, wanted, strict=True))
        return np.frombuffer(whole, np.uint8).reshape(height, width)
    file = io.BytesIO(_tiff_of_bytes(parts, rows, width, height, compression))
    try:
        with Image.open(file, formats=("TIFF",)) as image:
            return np.asarray(image)
    except Exception as error:
        raise DamagedTiffError(str(error)) from error


def _tiff_of_bytes(
    parts: list[bytes], rows: int, width: int, height: int, compression: int
) -> bytes:
    """A TIFF of 8-bit grey whose strips are `parts`."""
    body, counts = b"".join(parts), [len(part) for part in parts]
    offsets = np.cumsum([8, *counts[:-1]]).tolist()
    lists = struct.pack(f"<{2 * len(parts)}I", *offsets, *counts)
    end = 8 + len(body)
    # A single value is stored in the entry itself.
    first, second = (end, end + 4 * len(parts)) if len(parts) > 1 else (offsets[0], counts[0])
    entries = (
        (_WIDTH, 1, width),
        (_HEIGHT, 1, height),
        (_BITS, 1, 8),
        (_COMPRESSION, 1, compression),
        (_PHOTOMETRIC, 1, 1),
        (_OFFSETS, len(parts), first),
        (_CHANNELS, 1, 1),
        (_ROWS, 1, rows),
        (_COUNTS, len(parts), second),
    )
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, 4, count, v) for tag, count, v in entries)
    return b"II*\0" + struct.pack("<I", end + len(lists)) + body + lists + directory + bytes(4)


def _samples(
    part: NDArray[np.uint8], samples: Samples, columns: int, channels: int
) -> NDArray[np.generic]:
    """Bytes [rows, bytes per row] as samples [rows, columns, channels]."""
    shape, dtype = (len(part), columns, channels), samples.dtype
    if samples.is_packed:
        return _spread(part, samples.bits[0], columns * channels).reshape(shape)
    if samples.predictor == 3:  # TIFF Technical Note 3: byte differences, high bytes first
        sums = part.reshape(len(part), -1, channels).cumsum(axis=1, dtype=np.uint8)
        by_byte = sums.reshape(len(part), dtype.itemsize, columns * channels)
        together = np.ascontiguousarray(by_byte.transpose(0, 2, 1))
        return together.view(dtype.newbyteorder(">")).reshape(shape)
    found = part.view(dtype).reshape(shape)
    if samples.predictor == 2:  # TIFF 6.0, section 14: differences that may wrap
        whole = np.dtype(f"u{dtype.itemsize}")
        native = found.astype(dtype.newbyteorder("=")).view(whole)
        return native.cumsum(axis=1, dtype=whole).view(dtype.newbyteorder("="))
    return found


def _spread(part: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.uint16]:
    """Samples of 1 to 15 bits, each row starting at a byte: uint16 [rows, count]."""
    out = np.empty((len(part), count), np.uint16)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    step = max(1, _AT_ONCE // 16 // part.shape[1])
    for start in range(0, len(part), step):
        some = part[start : start + step]
        ones = np.unpackbits(some, axis=1, count=count * bits)
        out[start : start + step] = ones.reshape(len(some), count, bits) @ weights
    return out
