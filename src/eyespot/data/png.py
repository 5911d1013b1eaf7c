"""PNGs whose transparent colour Pillow does not find: it shows them fewer bits, or more."""

import io

import numpy as np
from PIL import Image

_BITS = 24
"""Where the header says how many bits a sample has (PNG, third edition, 11.2.1)."""


def with_transparency(image: Image.Image, data: bytes) -> Image.Image:
    """`image`, as Pillow opened it from `data`, with the transparent colour that the file means
    (11.3.1.1). Colours of 16 bits are read at once."""
    clear, bits = image.info.get("transparency"), data[_BITS]
    if image.mode == "L" and isinstance(clear, int) and bits in (2, 4):
        image.info["transparency"] = clear * 255 // (2**bits - 1)
    elif image.mode == "RGB" and isinstance(clear, tuple) and bits == 16:
        low = Image.open(io.BytesIO(data), formats=("PNG",))
        # Pillow keeps the first byte of each number, and the second if told that it is the higher.
        low.tile = [part._replace(args="RGB;16L") for part in low.tile]
        halves = zip((np.asarray(image), np.asarray(low)), (8, 0), strict=True)
        same = [half == [number >> shift & 255 for number in clear] for half, shift in halves]
        del image.info["transparency"]
        opaque = ~np.logical_and(*same).all(axis=2)
        image.putalpha(Image.fromarray(opaque.astype(np.uint8) * np.uint8(255)))
    return image
