"""The kind of a TIFF: its size, samples, colours and parts."""

from dataclasses import dataclass

import numpy as np

from eyespot.data.tiff_directory import DamagedTiffError, Directory

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_CHANNELS, _ROWS, _PLANAR, _PREDICTOR = 277, 278, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _EXTRA, _FORMAT = 322, 323, 338, 339

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, _LAB = 0, 1, 2, 8
_GREY_OR_RGB = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
_ASSOCIATED, UNASSOCIATED = 1, 2
"""Kinds of alpha (TIFF 6.0, page 31): premultiplied or not."""
_SORTS = {1: "u", 2: "i", 3: "f", 4: "u"}
"""NumPy's names of sample formats (TIFF 6.0, page 80); undefined ones count as unsigned."""

_NAMES = {1: "unsigned integers", 2: "signed integers", 3: "floats"} | dict.fromkeys(
    (5, 6), "complex numbers"
)
_COLOURS = {RGB: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", _LAB: "L*a*b*"}
_COLOURS |= dict.fromkeys((0, 1), "grey") | dict.fromkeys((32803, 34892), "camera raw")
_PACKED = {1: "", 5: "LZW", 8: "deflate", 32773: "PackBits"}
_PACKED |= {32946: "deflate", 34925: "LZMA", 50000: "Zstandard"}
"""Lossless compressions that libtiff decompresses to samples."""
_OTHER_PACKED = dict.fromkeys((2, 3, 4), "CCITT") | dict.fromkeys((50002, 52546), "JPEG XL")
_OTHER_PACKED |= {6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 50001: "WebP"}


@dataclass(frozen=True, slots=True)
class Kind:
    """`bits`, `formats`: of each channel, or once for all. `colour`: the photometric
    interpretation. `extra`: of channels beyond grey or RGB. `rows`, `columns`: pixels of a strip or
    tile."""

    width: int
    height: int
    channels: int
    bits: tuple[int, ...]
    formats: tuple[int, ...]
    compression: int
    predictor: int
    order: str
    has_planes: bool
    colour: int
    extra: tuple[int, ...]
    rows: int
    columns: int
    tiled: bool

    @classmethod
    def of(cls, directory: Directory) -> "Kind":
        """Raises DamagedTiffError."""
        value, values = directory.value, directory.values
        width, height, channels = value(_WIDTH, 0), value(_HEIGHT, 0), value(_CHANNELS, 1)
        colour = value(_PHOTOMETRIC, RGB if channels >= 3 else BLACK_IS_ZERO)
        extra = values(_EXTRA)
        if colour == RGB and channels == 4 and not extra:
            extra = (UNASSOCIATED,)  # as Pillow and libvips read it
        tiled = _TILE_WIDTH in directory.entries
        found = cls(
            width=width,
            height=height,
            channels=channels,
            bits=values(_BITS, 1),
            formats=values(_FORMAT, 1),
            compression=value(_COMPRESSION, 1),
            predictor=value(_PREDICTOR, 1),
            order=directory.order,
            has_planes=value(_PLANAR, 1) == 2 and channels > 1,
            colour=colour,
            extra=extra,
            rows=value(_TILE_HEIGHT, 0) if tiled else min(value(_ROWS, height), height),
            columns=value(_TILE_WIDTH, 0) if tiled else width,
            tiled=tiled,
        )
        if min(width, height, channels) < 1:
            raise DamagedTiffError("its size is missing")
        if found.rows < 1 or found.columns < 1:
            raise DamagedTiffError("its parts have no size")
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
    def is_packed(self) -> bool:
        """Whether samples share bytes."""
        return self.bits[0] != 8 * self.size

    @property
    def planes(self) -> int:
        return self.channels if self.has_planes else 1

    @property
    def down(self) -> int:
        """Strips or tiles in a column."""
        return -(-self.height // self.rows)

    @property
    def across(self) -> int:
        """Strips or tiles in a row."""
        return -(-self.width // self.columns)

    @property
    def parts(self) -> int:
        return self.planes * self.down * self.across

    @property
    def colours(self) -> int:
        return 3 if self.colour == RGB else 1

    @property
    def alpha(self) -> int:
        """The kind of alpha, 0 if there is none."""
        kind = self.extra[0] if self.extra and self.channels > self.colours else 0
        return kind if kind in (_ASSOCIATED, UNASSOCIATED) else 0

    @property
    def is_read_here(self) -> bool:
        """Whether Pillow misreads it: samples that are not bytes, grey with alpha, or planes."""
        unusual = max(self.bits) > 8 or bool(set(self.formats) - {1, 4})
        if self.colour in _GREY_OR_RGB:
            return unusual or (self.colours == 1 and self.channels > 1)
        return self.has_planes and (unusual or self.colour == _LAB)

    @property
    def can_be_read(self) -> bool:
        channels = range(1, 3) if self.colours == 1 else range(3, 1000)
        if self.colour not in _GREY_OR_RGB or self.channels not in channels:
            return False
        alike = len(set(self.bits)) == len(set(self.formats)) == 1
        if not alike or not self.sort or not self.size or self.compression not in _PACKED:
            return False
        if self.is_packed:
            return self.sort == "u" and 0 < self.bits[0] < 16 and self.predictor == 1
        if self.sort == "f":
            return self.size > 1 and self.predictor in (1, 2, 3)
        return self.predictor in (1, 2)

    def __str__(self) -> str:
        names = " and ".join(dict.fromkeys(_NAMES.get(f, "samples") for f in self.formats))
        bits = "/".join(map(str, list(dict.fromkeys(self.bits))[:4]))  # a damaged file has dozens
        plural = "s" if self.channels > 1 else ""
        colour = _COLOURS.get(self.colour, f"colours of kind {self.colour}")
        unknown = f"compression {self.compression}"
        packed = (_OTHER_PACKED | _PACKED).get(self.compression, unknown)
        about = f"{names} of {bits} bits, {self.channels} channel{plural}, {colour}"
        return f"{about}, {packed}" if packed else about
