"""A page of what a network took for something else: picture, true name, its five guesses."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from eyespot.atomic import write_atomically
from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.imagenet_eval.evaluate import Failure, ImagenetEvaluation
from eyespot.report.html import data_uri, fill

SHOWN = 200
"""Failures on one page: with their pictures they take about 3 MB."""
SIDE = 256
"""Longest side of a picture on the page, in pixels."""


def write_gallery(judgement: ImagenetEvaluation, path: Path) -> None:
    """Write the page to `path`, atomically. Raises OSError as writing does."""
    # A file name in an old encoding has characters that UTF-8 cannot hold; they become "?".
    write_atomically(path, render(judgement).encode("utf-8", "replace"))


def render(judgement: ImagenetEvaluation) -> str:
    """The page as HTML."""
    return fill(
        "gallery.html",
        judgement=judgement,
        failures=[_shown(judgement, failure) for failure in judgement.failures[:SHOWN]],
    )


def _shown(judgement: ImagenetEvaluation, failure: Failure) -> dict[str, Any]:
    picture, classes = failure.image, judgement.classes
    return {
        "name": picture.name,
        "label": classes[picture.truth],
        "said": classes[failure.guesses[0][0]],
        "picture": _thumbnail(failure),
        "guesses": [
            {"label": classes[index], "probability": p, "right": index == picture.truth}
            for index, p in failure.guesses
        ],
    }


def _thumbnail(failure: Failure) -> str | None:
    """The picture as a small JPEG, inlined; None if it cannot be read any more."""
    try:
        data = failure.image.source.read()
        image = Image.fromarray(decode(data, short_side=SIDE).pixels)
    except PhotoError:
        return None
    image.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    small = BytesIO()
    image.save(small, "JPEG", quality=75)
    return data_uri(small.getvalue())
