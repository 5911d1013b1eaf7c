"""A page of misclassified ImageNet images: image, actual class, five most probable classes."""

from typing import Any

from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.imagenet_eval.evaluate import Failure, ImagenetEvaluation
from eyespot.report.html import fill, image_uri

SHOWN = 200
"""Images on one page, which take about 3 MB."""
SIDE = 256
"""Longest side of an image on the page, in pixels."""


def render(result: ImagenetEvaluation) -> str:
    """The page as HTML."""
    return fill(
        "gallery.html",
        network=result.network.name,
        count=result.count,
        views=str(result.views),
        errors=[
            ("Top-1 error", result.top1_error, result.top1_interval),
            ("Top-5 error", result.top5_error, result.top5_interval),
        ],
        failures=[_shown(result, failure) for failure in result.failures[:SHOWN]],
        misclassified=len(result.failures),
    )


def _shown(result: ImagenetEvaluation, failure: Failure) -> dict[str, Any]:
    image, classes = failure.image, result.classes
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
        return image_uri(decode(failure.image.source.read(), short_side=SIDE).pixels, SIDE)
    except PhotoError:
        return None
