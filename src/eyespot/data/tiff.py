"""Decode TIFFs that Pillow reads wrongly or not at all: samples of 10 to 64 bits, floats, signed
samples, white as zero.

Pillow's libtiff decompresses their strips or tiles: it receives them as a TIFF of plain bytes, so
that every compression works, and none returns more than the header of the file declares.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from eyespot.data.pixels import to_bytes
from eyespot.data.tiff_directory import DamagedTiffError, Directory
from eyespot.data.tiff_kind import UNASSOCIATED, WHITE_IS_ZERO, Kind
from eyespot.errors import PhotoError
from eyespot.limits import MAX_FILE_PARTS, MAX_SAMPLE_BYTES

_AT_ONCE = 16_000_000
"""Bytes that are decompressed at a time, unless a row of parts is larger."""
_FILL_ORDER, _OFFSETS, _ORIENTATION, _COUNTS = 266, 273, 274, 279
_TILE_OFFSETS, _TILE_COUNTS, _PROFILE = 324, 325, 34675
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def read_here(directory: Directory, kind: Kind) -> Image.Image:
    """The image of a directory, of mode L, RGB, RGBA or RGBa, with its orientation and profile.

    Raises PhotoError for an unsupported kind or a too large image, DamagedTiffError.
    """
    if not kind.can_be_read:
        raise PhotoError(
            f"unsupported kind of TIFF ({kind}); save it as PNG, or as TIFF of 8 or 16 bits"
        )
    size = kind.width * kind.height * kind.channels * kind.size
    if size > MAX_SAMPLE_BYTES:
        raise PhotoError(f"its samples take {size:,} bytes, the limit is {MAX_SAMPLE_BYTES:,}")
    image = _image(_read_parts(directory, kind), kind)
    image.getexif()[_ORIENTATION] = directory.value(_ORIENTATION, 1)
    if profile := directory.values(_PROFILE):
        image.info["icc_profile"] = bytes(profile)
    return image


def _image(samples: NDArray[np.generic], kind: Kind) -> Image.Image:
    """Samples [H, W, channels] as an image. Raises PhotoError for NaN or Inf."""
    colours, bits, whole = kind.colours, kind.bits[0], samples.dtype.kind == "u"
    used = samples[..., : colours + bool(kind.alpha)]
    inverted = kind.colour == WHITE_IS_ZERO
    if inverted and whole:
        used[..., 0] = ((1 << bits) - 1) - used[..., 0]
        inverted = False
    if whole or not kind.alpha:  # the maximum alpha shows how white is stored
        # Larger samples often use fewer bits than declared.
        white = float(2**bits - 1) if whole and bits <= 8 else None
        pixels = to_bytes(used, white, white_is_zero=inverted)
    else:
        opaque = float(2 ** (bits - 1) - 1) if samples.dtype.kind == "i" else None
        both = to_bytes(used[..., :-1], white_is_zero=inverted), to_bytes(used[..., -1:], opaque)
        pixels = np.concatenate(both, axis=2)
    if not kind.alpha:
        return Image.fromarray(pixels if colours == 3 else pixels[..., 0])
    if colours == 1:
        pixels = pixels[..., [0, 0, 0, 1]]
    mode = "RGBA" if kind.alpha == UNASSOCIATED else "RGBa"
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())


def _read_parts(directory: Directory, kind: Kind) -> NDArray[np.generic]:
    """All samples [H, W, channels].

    Raises PhotoError for too many or too large parts, DamagedTiffError.
    """
    each = kind.channels // kind.planes
    size = kind.rows * kind.columns * each * kind.size
    if kind.parts > MAX_FILE_PARTS or size > MAX_SAMPLE_BYTES:
        raise PhotoError(
            f"it has {kind.parts:,} parts of {kind.columns} x {kind.rows} pixels, more or "
            "larger ones than supported; save it as PNG"
        )
    width = -(-kind.columns * each * kind.bits[0] // 8)
    together = max(1, _AT_ONCE // (kind.rows * width * kind.across)) * kind.rows
    places = _places(directory, kind)
    order = _REVERSED if directory.value(_FILL_ORDER, 1) == 2 else None
    native = kind.dtype.newbyteorder("=")
    out = np.empty((kind.planes, kind.height, kind.width, each), native)
    for plane, first in np.ndindex(kind.planes, -(-kind.height // together)):
        area = out[plane, first * together : (first + 1) * together]
        down = -(-len(area) // kind.rows)
        start = (plane * kind.down + first * together // kind.rows) * kind.across
        parts = [
            directory.data[offset : offset + count].translate(order)
            for offset, count in places[start : start + down * kind.across]
        ]
        unpacked = _unpacked(parts, kind, width, len(area))
        samples = _samples(unpacked.reshape(-1, width), kind, each)
        area[...] = samples.reshape(len(area), -1, each)[:, : kind.width]
    return out[0] if kind.planes == 1 else np.moveaxis(out[..., 0], 0, -1)


def _places(directory: Directory, kind: Kind) -> list[tuple[int, int]]:
    """Offset and length of each part in the file."""
    tags = (_TILE_OFFSETS, _TILE_COUNTS) if kind.tiled else (_OFFSETS, _COUNTS)
    if (found := directory.count(tags[0])) != kind.parts:
        raise DamagedTiffError(f"it has {found:,} of {kind.parts:,} parts")
    offsets = directory.values(tags[0])
    rest = (max(0, len(directory.data) - offsets[0]),) if len(offsets) == 1 else ()
    counts = directory.values(tags[1], *rest)
    if len(counts) != len(offsets) or sum(counts) > len(directory.data):
        raise DamagedTiffError("its parts are longer than the file")
    places = list(zip(offsets, counts, strict=True))
    if not all(count and offset + count <= len(directory.data) for offset, count in places):
        raise DamagedTiffError("a part of the image is missing")
    return places


def _unpacked(parts: Sequence[bytes], kind: Kind, width: int, height: int) -> NDArray[np.uint8]:
    """Rows of strips or tiles of `width` bytes as bytes [height, bytes per row]."""
    row = kind.across * width
    if kind.compression == 1:
        size = kind.rows * width
        last = size if kind.tiled else height * width - (len(parts) - 1) * size
        if any(len(part) < size for part in parts[:-1]) or len(parts[-1]) < last:
            raise DamagedTiffError("a part of the image is missing")
        whole = b"".join(part[:size].ljust(size) for part in parts)
        blocks = np.frombuffer(whole, np.uint8).reshape(-1, kind.across, kind.rows, width)
        return blocks.swapaxes(1, 2).reshape(-1, row)[:height]
    directory = ImageFileDirectory_v2()
    counts = tuple(map(len, parts))
    # 8-bit grey. Offsets count from the end of the directory.
    values = {256: row, 257: height, 258: 8, 259: kind.compression, 262: 1, 277: 1}
    directory[_OFFSETS] = (0, *np.cumsum(counts[:-1]).tolist())
    directory[_COUNTS] = counts
    values |= {322: width, 323: kind.rows} if kind.tiled else {278: kind.rows}
    for tag, value in values.items():
        directory[tag] = value
    file = io.BytesIO()
    directory.save(file)
    file.write(b"".join(parts))
    file.seek(0)
    try:
        return np.asarray(TiffImageFile(file))
    except Exception as error:
        raise DamagedTiffError(str(error)) from error


def _samples(rows: NDArray[np.uint8], kind: Kind, channels: int) -> NDArray[np.generic]:
    """Bytes [rows, bytes per row of a part] as samples [rows, columns, channels]."""
    shape, dtype = (len(rows), kind.columns, channels), kind.dtype
    if kind.is_packed:
        return _spread(rows, kind.bits[0], kind.columns * channels).reshape(shape)
    if kind.predictor == 3:  # TIFF Technical Note 3: byte differences, high bytes first
        sums = rows.reshape(len(rows), -1, channels).cumsum(axis=1, dtype=np.uint8)
        by_byte = sums.reshape(len(rows), dtype.itemsize, kind.columns * channels)
        together = np.ascontiguousarray(by_byte.transpose(0, 2, 1))
        return together.view(dtype.newbyteorder(">")).reshape(shape)
    found = rows.view(dtype).reshape(shape)
    if kind.predictor == 2:  # TIFF 6.0, section 14: differences that may wrap
        whole = np.dtype(f"u{dtype.itemsize}")
        native = found.astype(dtype.newbyteorder("=")).view(whole)
        return native.cumsum(axis=1, dtype=whole).view(dtype.newbyteorder("="))
    return found


def _spread(rows: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.uint16]:
    """Samples of 1 to 15 bits, each row starting at a byte: uint16 [rows, count]."""
    out = np.empty((len(rows), count), np.uint16)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    step = max(1, _AT_ONCE // 16 // rows.shape[1])
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        ones = np.unpackbits(some, axis=1, count=count * bits)
        out[start : start + step] = ones.reshape(len(some), count, bits) @ weights
    return out
