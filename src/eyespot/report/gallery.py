"""A page of misclassified ImageNet images: image, actual class, five most probable classes."""

from pathlib import Path
from typing import Any

from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.imagenet_eval.evaluate import Failure, Judgement
from eyespot.report.html import fill, image_uri, write_page

SHOWN = 200
"""Images on one page, which take about 3 MB."""
SIDE = 256
"""Longest side of an image on the page, in pixels."""


def write_gallery(judgement: Judgement, path: Path) -> None:
    """Write the page to `path`, atomically. Raises OSError as writing does."""
    write_page(path, render(judgement))


def render(judgement: Judgement) -> str:
    """The page as HTML."""
    return fill(
        "gallery.html",
        network=judgement.network.name,
        count=judgement.count,
        views=str(judgement.views),
        errors=[
            ("Top-1 error", judgement.top1_error, judgement.top1_interval),
            ("Top-5 error", judgement.top5_error, judgement.top5_interval),
        ],
        failures=[_shown(judgement, failure) for failure in judgement.failures[:SHOWN]],
        misclassified=len(judgement.failures),
    )


def _shown(judgement: Judgement, failure: Failure) -> dict[str, Any]:
    image, classes = failure.picture, judgement.classes
    return {
        "name": image.name,
        "actual": classes[image.truth],
        "predicted": classes[failure.guesses[0][0]],
        "image": _thumbnail(failure),
        "top": [
            {"label": classes[index], "probability": p, "right": index == image.truth}
            for index, p in failure.guesses
        ],
    }


def _thumbnail(failure: Failure) -> str | None:
    """The image as an address; None if it is no longer readable."""
    try:
        return image_uri(decode(failure.picture.source.read(), short_side=SIDE).pixels, SIDE)
    except PhotoError:
        return None
