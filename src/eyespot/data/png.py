"""Fix the transparent colour of PNGs where Pillow changes the number of bits."""

import io

import numpy as np
from PIL import Image

_BITS = 24
"""Position of the bit depth in the header (PNG, third edition, 11.2.1)."""


def with_transparency(image: Image.Image, data: bytes) -> Image.Image:
    """`image`, as Pillow opened it from `data`, with the file's transparent colour (11.3.1.1).
    16-bit colours are decoded here."""
    clear, bits = image.info.get("transparency"), data[_BITS]
    if image.mode == "L" and isinstance(clear, int) and bits in (2, 4):
        image.info["transparency"] = clear * 255 // (2**bits - 1)
    elif image.mode == "RGB" and isinstance(clear, tuple) and bits == 16:
        low = Image.open(io.BytesIO(data), formats=("PNG",))
        # Pillow keeps the first byte of each sample; told that bytes are swapped, the second.
        low.tile = [part._replace(args="RGB;16L") for part in low.tile]
        halves = zip((np.asarray(image), np.asarray(low)), (8, 0), strict=True)
        same = [half == [number >> shift & 255 for number in clear] for half, shift in halves]
        del image.info["transparency"]
        opaque = ~np.logical_and(*same).all(axis=2)
        image.putalpha(Image.fromarray(opaque.astype(np.uint8) * np.uint8(255)))
    return image
