"""Images and files for the tests of eyespot.data, made on the spot."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def sample_image(width: int = 64, height: int = 48) -> Image.Image:
    """Smooth colours with a red, a green, a blue and a white corner: any turn of it shows."""
    corners = np.array([[[200, 0, 0], [0, 200, 0]], [[0, 0, 200], [250, 250, 250]]], np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)


def noise(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """A image that no format can make small."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def idx(array: NDArray[np.uint8]) -> bytes:
    """An array as an IDX file."""
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + shape + array.tobytes()


def save(path: Path, color: str = "red", kind: str = "PNG") -> Path:
    """A small photo at `path`, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(Image.new("RGB", (8, 6), color), kind))
    return path
