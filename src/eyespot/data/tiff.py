"""TIFFs of other numbers than bytes: 10 to 64 bits, floats, with a sign, white as zero.

Pillow reads these wrongly or not at all, so they are read here. Its libtiff still unpacks them: the
parts of a picture are handed to it as a TIFF of plain bytes, so that every compression works, and
none gives more than the file's header promises.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.samples import to_bytes
from eyespot.data.tiff_directory import DamagedTiffError, Directory
from eyespot.errors import PhotoError

MAX_NUMBERS = 400_000_000
"""Bytes that the numbers of one picture may take: as many as 100 million floats."""
MOST_PARTS = 100_000
"""Strips or tiles of one picture."""
_AT_ONCE = 16_000_000
"""Bytes that are unpacked at a time, if parts are not larger."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _ORIENTATION, _CHANNELS, _ROWS, _COUNTS, _PLANAR = 273, 274, 277, 278, 279, 284
_PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 317, 322, 323, 324, 325
_EXTRA, _FORMAT, _PROFILE = 338, 339, 34675

_FORMATS = {1: "u", 2: "i", 3: "f", 4: "u"}
_NAMES = {1: "whole numbers", 2: "whole numbers with a sign", 3: "floats", 5: "complex numbers"} | {
    6: "complex numbers"
}
_GREY, _RGB = (0, 1), 2
_COLOURS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr"} | {
    8: "L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "raw (colour filter)",
    32844: "LogL",
    32845: "LogLuv",
    34892: "raw (linear)",
}
_PACKED = {1: "no", 5: "LZW", 8: "deflate", 32773: "PackBits", 32946: "deflate"} | {
    34925: "LZMA",
    50000: "Zstandard",
}
"""Compressions that libtiff unpacks to the numbers themselves."""
_OTHER_PACKED = {
    2: "CCITT",
    3: "CCITT",
    4: "CCITT",
    6: "old JPEG",
    7: "JPEG",
    34712: "JPEG 2000",
} | {
    34887: "LERC",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Kind:
    """What the numbers of a TIFF are. `extra`: what its channels beyond grey or RGB mean."""

    width: int
    height: int
    channels: int
    bits: tuple[int, ...]
    formats: tuple[int, ...]
    colour: int
    compression: int
    extra: tuple[int, ...]

    @classmethod
    def of(cls, directory: Directory) -> "Kind":
        """Raises DamagedTiffError."""
        value = directory.value
        channels = value(_CHANNELS, 1)
        if directory.count(_BITS) > 1000 or directory.count(_FORMAT) > 1000 or channels < 1:
            raise DamagedTiffError(f"{channels} channels")
        colour = value(_PHOTOMETRIC, _RGB if channels >= 3 else 1)
        extra = directory.values(_EXTRA)
        if colour == _RGB and channels == 4 and not extra:
            extra = (2,)  # what Pillow and libvips take it for
        return cls(
            value(_WIDTH, 0),
            value(_HEIGHT, 0),
            channels,
            directory.values(_BITS, 1),
            directory.values(_FORMAT, 1),
            colour,
            value(_COMPRESSION, 1),
            extra,
        )

    @property
    def is_plain(self) -> bool:
        """Whether Pillow reads it rightly, if at all: bytes or parts of bytes."""
        numbers = max(self.bits) > 8 or set(self.formats) - {1, 4}
        return not (numbers and self.colour in (*_GREY, _RGB))

    def __str__(self) -> str:
        bits = "/".join(str(bits) for bits in dict.fromkeys(self.bits))
        names = " and ".join(dict.fromkeys(_NAMES.get(f, "numbers") for f in self.formats))
        colour = _COLOURS.get(self.colour, f"colours of kind {self.colour}")
        plural = "s" if self.channels > 1 else ""
        packed = _PACKED.get(self.compression) or _OTHER_PACKED.get(
            self.compression, f"an unknown ({self.compression})"
        )
        return f"{names} of {bits} bits, {self.channels} channel{plural}, {colour}, {packed} compression"


def not_read(kind: Kind) -> PhotoError:
    """The refusal of a sound file that is of a kind that is not read."""
    return PhotoError(
        f"this kind of TIFF is not read ({kind}); save it as PNG, or as TIFF of 8 or 16 bits"
    )


def read_numbers(directory: Directory, kind: Kind) -> Image.Image:
    """The picture of a directory, of mode L, RGB, RGBA or RGBa, with its orientation and profile.

    Raises PhotoError if the kind is not read or is too large, DamagedTiffError.
    """
    layout = _Layout.of(directory, kind)
    if layout is None:
        raise not_read(kind)
    numbers = layout.numbers(directory)
    if kind.colour == 0 and numbers.dtype.kind == "u":
        numbers[..., 0] = ((1 << kind.bits[0]) - 1) - numbers[..., 0]
    image = _image(numbers, kind)
    image.getexif()[_ORIENTATION] = directory.value(_ORIENTATION, 1)
    if profile := directory.values(_PROFILE):
        image.info["icc_profile"] = bytes(profile)
    return image


def _image(numbers: NDArray[np.generic], kind: Kind) -> Image.Image:
    """Numbers [H, W, channels] as an image."""
    colours = 3 if kind.colour == _RGB else 1
    alpha = kind.extra[0] if kind.channels > colours and kind.extra else 0
    used = numbers[..., : colours + (alpha in (1, 2))]
    inverted = kind.colour == 0 and numbers.dtype.kind != "u"
    if used.shape[2] == colours:
        pixels = to_bytes(used, white_is_zero=inverted)
    elif numbers.dtype.kind == "u":  # what is opaque says how white is stored
        pixels = to_bytes(used)
    else:
        parts = to_bytes(used[..., :-1], white_is_zero=inverted), to_bytes(used[..., -1:])
        pixels = np.concatenate(parts, axis=2)
    if pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    if pixels.shape[2] < 4:
        return Image.fromarray(pixels[..., 0] if colours == 1 else pixels)
    mode = "RGBA" if alpha == 2 else "RGBa"
    return Image.frombytes(mode, (kind.width, kind.height), np.ascontiguousarray(pixels).tobytes())


@dataclass(frozen=True, slots=True)
class _Layout:
    """How numbers lie in the file: in parts (strips or tiles) of `rows` x `columns` pixels."""

    kind: Kind
    bits: int
    dtype: np.dtype[np.generic]
    planes: int
    rows: int
    columns: int
    predictor: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, directory: Directory, kind: Kind) -> "_Layout | None":
        """None if it is not read. Raises PhotoError if it is too large, DamagedTiffError."""
        bits, sort = kind.bits[0], _FORMATS.get(kind.formats[0])
        size = next((size for size in (8, 16, 32, 64) if bits <= size), 0)
        whole = bits == size
        colours = 3 if kind.colour == _RGB else 1
        predictor = directory.value(_PREDICTOR, 1)
        if (
            kind.colour not in (*_GREY, _RGB)
            or sort is None
            or not size
            or not (whole or (sort == "u" and bits < 16))
            or (sort == "f" and bits < 16)
            or len({*kind.bits}) > 1
            or len({*kind.formats}) > 1
            or kind.channels < colours
            or (colours == 1 and kind.channels > 2)
            or kind.compression not in _PACKED
            or predictor not in ((1, 2, 3) if sort == "f" else (1, 2))
            or (predictor != 1 and not whole)
        ):
            return None
        if not kind.width or not kind.height:
            raise DamagedTiffError("its size is missing")
        need = kind.width * kind.height * kind.channels * size // 8
        if need > MAX_NUMBERS:
            raise PhotoError(
                f"its numbers take {need:,} bytes, more than the {MAX_NUMBERS:,} that are read"
            )
        tiled = _TILE_WIDTH in directory.entries
        columns = directory.value(_TILE_WIDTH, 0) if tiled else kind.width
        rows = directory.value(_TILE_HEIGHT if tiled else _ROWS, 0 if tiled else kind.height)
        places, lengths = (_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_OFFSETS, _COUNTS)
        if not tiled:
            rows = min(rows, kind.height)
        if rows < 1 or columns < 1:
            raise DamagedTiffError("its parts have no size")
        planes = kind.channels if directory.value(_PLANAR, 1) == 2 else 1
        expected = planes * -(-kind.height // rows) * -(-kind.width // columns)
        if expected > MOST_PARTS or rows * columns * kind.channels * size // 8 > MAX_NUMBERS:
            raise PhotoError(
                f"it lies in {expected:,} parts of {columns} x {rows} pixels, more or larger ones "
                "than are read; save it as PNG"
            )
        if directory.count(places) != expected:
            raise DamagedTiffError(f"{directory.count(places):,} parts of {expected:,}")
        offsets = directory.values(places)
        rest = len(directory.data) - offsets[0]
        counts = directory.values(lengths, *((rest,) if expected == 1 else ()))
        return cls(
            kind,
            bits,
            np.dtype(f"{directory.order}{sort}{size // 8}"),
            planes,
            rows,
            columns,
            predictor,
            offsets,
            counts,
        )

    def numbers(self, directory: Directory) -> NDArray[np.generic]:
        """All numbers [H, W, channels]. Raises DamagedTiffError."""
        kind, across = self.kind, -(-self.kind.width // self.columns)
        down = -(-kind.height // self.rows)
        each = kind.channels // self.planes
        out = np.empty((kind.height, kind.width, kind.channels), self.dtype.newbyteorder("="))
        for number, part in enumerate(self._parts(directory)):
            plane, place = divmod(number, across * down)
            top, left = place // across * self.rows, place % across * self.columns
            values = self._values(part, each)
            area = out[top : top + self.rows, left : left + self.columns]
            area[..., plane * each : (plane + 1) * each] = values[: len(area), : area.shape[1]]
        return out

    def _row_bytes(self) -> int:
        return -(-self.columns * self.kind.channels // self.planes * self.bits // 8)

    def _parts(self, directory: Directory) -> Iterator[NDArray[np.uint8]]:
        """Each strip or tile unpacked: bytes [rows, bytes of a row]."""
        data, width = directory.data, self._row_bytes()
        if len(self.counts) != len(self.offsets) or sum(self.counts) > len(data):
            raise DamagedTiffError("its parts are longer than the file")
        down = -(-self.kind.height // self.rows)
        tiled = _TILE_WIDTH in directory.entries
        last = self.rows if tiled else self.kind.height - (down - 1) * self.rows
        heights = ([self.rows] * (down - 1) + [last]) * self.planes
        if tiled:
            heights = [self.rows] * len(self.offsets)
        together = max(1, _AT_ONCE // (self.rows * width))
        flip = directory.value(_FILL_ORDER, 1) == 2
        group: list[tuple[bytes, int]] = []
        for place, count, height in zip(self.offsets, self.counts, heights, strict=True):
            part = data[place : place + count]
            if not part or len(part) < count:
                raise DamagedTiffError("a part of the picture is missing")
            group.append((part.translate(_REVERSED) if flip else part, height))
            if len(group) == together or height < self.rows:
                yield from _unpacked(group, self.rows, width, self.kind.compression)
                group = []
        if group:
            yield from _unpacked(group, self.rows, width, self.kind.compression)

    def _values(self, part: NDArray[np.uint8], channels: int) -> NDArray[np.generic]:
        """Bytes [rows, bytes of a row] as numbers [rows, columns, channels]."""
        rows, count = len(part), self.columns * channels
        native = self.dtype.newbyteorder("=")
        if self.bits != 8 * self.dtype.itemsize:
            return _unpack_bits(part, self.bits, count).reshape(rows, self.columns, channels)
        if self.predictor == 3:  # TIFF Technical Note 3: differences of the bytes, highest first
            sums = part.reshape(rows, -1, channels).cumsum(axis=1, dtype=np.uint8)
            by_byte = sums.reshape(rows, self.dtype.itemsize, count)
            numbers = np.ascontiguousarray(by_byte.transpose(0, 2, 1)).view(
                self.dtype.newbyteorder(">")
            )
            return numbers.reshape(rows, self.columns, channels)
        numbers = part.view(self.dtype).reshape(rows, self.columns, channels).astype(native)
        if self.predictor == 2:  # TIFF 6.0, section 14: differences, which may wrap
            whole = np.dtype(f"u{self.dtype.itemsize}")
            numbers = numbers.view(whole).cumsum(axis=1, dtype=whole).view(native)
        return numbers


def _unpacked(
    group: list[tuple[bytes, int]], rows: int, width: int, compression: int
) -> Iterator[NDArray[np.uint8]]:
    """Strips or tiles, each with its height, as bytes [height, width]; only the last may be lower."""
    total = sum(height for _, height in group)
    if compression == 1:
        for part, height in group:
            if len(part) < height * width:
                raise DamagedTiffError("a part of the picture is missing")
            yield np.frombuffer(part, np.uint8, height * width).reshape(height, width)
        return
    file = _tiff_of_bytes([part for part, _ in group], rows, width, total, compression)
    try:
        with Image.open(io.BytesIO(file), formats=("TIFF",)) as image:
            unpacked = np.asarray(image)
    except Exception as error:
        raise DamagedTiffError(str(error)) from error
    for start in range(0, total, rows):
        yield unpacked[start : start + rows]


def _tiff_of_bytes(
    parts: list[bytes], rows: int, width: int, height: int, compression: int
) -> bytes:
    """A TIFF of 8-bit grey whose strips are `parts`."""
    body = b"".join(parts)
    counts = [len(part) for part in parts]
    offsets = [
        8 + end - count for end, count in zip(np.cumsum(counts).tolist(), counts, strict=True)
    ]
    lists = struct.pack(f"<{2 * len(parts)}I", *offsets, *counts)
    at = 8 + len(body)
    first, second = (at, at + 4 * len(parts)) if len(parts) > 1 else (offsets[0], counts[0])
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
    start = struct.pack("<I", at + len(lists))
    return b"II*\0" + start + body + lists + directory + bytes(4)


def _unpack_bits(part: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.uint16]:
    """Numbers of 1 to 15 bits, each row beginning with a byte: uint16 [rows, count]."""
    out = np.empty((len(part), count), np.uint16)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    step = max(1, _AT_ONCE // 16 // part.shape[1])
    for start in range(0, len(part), step):
        some = part[start : start + step]
        ones = np.unpackbits(some, axis=1, count=count * bits)
        out[start : start + step] = ones.reshape(len(some), count, bits) @ weights
    return out
