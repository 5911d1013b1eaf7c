"""Shared by all pages: templates, the style sheet, inlined images, atomic writing."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot import __version__
from eyespot.atomic import write_atomically
from eyespot.shown import counted, percent, percent_interval


def fill(template: str, **values: Any) -> str:
    """Fill `template` of this folder with `values` and `version`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("eyespot.report", ".")
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    templates.filters |= {
        "count": "{:,}".format,
        "counted": counted,
        "interval": percent_interval,
        "percent": percent,
    }
    return templates.get_template(template).render(version=__version__, **values)


def write_page(path: Path, page: str) -> None:
    """Write a page, atomically. Raises OSError as writing does."""
    # A file name in an old encoding has characters that UTF-8 cannot hold; they become "?".
    write_atomically(Path(path), page.encode("utf-8", "replace"))


def data_uri(jpeg: bytes) -> str:
    """The content of a JPEG file as an address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def image_uri(pixels: NDArray[np.uint8], side: int) -> str:
    """Pixels uint8 [H, W, 1 or 3] as the address of a JPEG, `side` pixels at its longest side."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    small = BytesIO()
    image.save(small, "JPEG", quality=80)
    return data_uri(small.getvalue())
