"""Heat maps of the worst mistakes: which parts of a photo speak for the wrong answer.

By occlusion, which sees all that a head reads, and asks the engine, which is open already, on all
cores. A dozen maps by EfficientNet-Lite0 take 2.7 s of processor time, divided by the cores (two);
those of Grad-CAM take 1.9 s on one core, of which importing torch and the first map take 1.6 s.
"""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eyespot.data.decode import decode
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import PhotoError
from eyespot.explain.colours import overlaid
from eyespot.explain.occlusion import heat, scaled, slide
from eyespot.features.extract import head_inputs, thumbnail
from eyespot.report.html import data_uri
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.result import EvaluateResult

MOST = 12
SECONDS = 2.0
"""No map is begun later: a large network on a slow machine must not delay the report."""
CELLS = 6
"""Rows and columns of a map: coarser than for one photo alone, at half the time."""


def heat_maps(lesson: EvaluateResult, indices: Sequence[int]) -> dict[int, str | None]:
    """Photos as addresses of pictures, by index, with what speaks for what was said of them; None
    where no part does, because what was said gains whatever is covered.

    Of `indices` the first that can be read, and as many as there is time for. The finished
    classifier is asked, which has learnt from these photos since. What it said wrongly before is
    hardly probable now; so its score counts, not its probability.
    """
    start = time.perf_counter()
    preprocessing = lesson.classifier.backbone.preprocessing
    short_side = needed_short_side(preprocessing)
    found: dict[int, str | None] = {}
    for index in indices[:MOST]:
        try:
            picture = decode(lesson.dataset.photos[index].read(), short_side=short_side)
        except PhotoError:  # of a classifier that was taught onto; or it has gone meanwhile
            continue
        prepared = prepare(picture.pixels, preprocessing)
        scores = _scores(lesson.classifier, slide(lesson.classifier, prepared, CELLS))
        said = int(lesson.probabilities[index].argmax())
        shares = scaled(heat(scores, said))
        pixels = overlaid(shares, prepared)
        small = thumbnail(pixels, picture.width / picture.height)
        found[index] = data_uri(small) if shares.any() else None
        if time.perf_counter() - start > SECONDS:
            break
    return found


def _scores(classifier: Classifier, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the head says before probabilities are made of it, [n, K]."""
    layout, blocks = classifier.engine.layout, classifier.recipe.blocks
    return classifier.scorer.scores(head_inputs(features, layout, blocks))
