"""Occlusion maps of misclassified photos: the areas that raise the score of the predicted class.

Occlusion covers every feature that a head reads, and runs in the open engine on all cores. A dozen
maps by EfficientNet-Lite0 take 2.7 s of processor time, divided by the cores (two); Grad-CAM takes
1.9 s on one core, 1.6 s of which import torch and draw the first map.
"""

import time
from collections.abc import Sequence

from eyespot.data.decode import decode
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import PhotoError
from eyespot.explain.colours import overlaid
from eyespot.explain.occlusion import heat, scaled, slide
from eyespot.features.extract import head_inputs, thumbnail
from eyespot.report.html import data_uri
from eyespot.tasks.classification.result import EvaluateResult

MOST = 12
SECONDS = 2.0
"""No map begins later: a large network on a slow machine must not delay the report."""
CELLS = 6
"""Rows and columns of a map: coarser than for one photo alone, at half the time."""


def heat_maps(result: EvaluateResult, indices: Sequence[int]) -> dict[int, str | None]:
    """Occlusion maps as image addresses, by photo; None where covering lowers the score nowhere.

    Of `indices` the first that can be read, as many as time allows. The final classifier may be
    trained on these photos, and give the wrong class a low probability; so a map shows its score,
    not its probability.
    """
    start = time.perf_counter()
    classifier = result.classifier
    preprocessing = classifier.backbone.preprocessing
    short_side = needed_short_side(preprocessing)
    found: dict[int, str | None] = {}
    for index in indices[:MOST]:
        try:
            photo = decode(result.dataset.photos[index].read(), short_side=short_side)
        except PhotoError:  # a photo of an earlier training set, or one deleted meanwhile
            continue
        prepared = prepare(photo.pixels, preprocessing)
        covered = slide(classifier, prepared, CELLS)
        inputs = head_inputs(covered, classifier.engine.layout, classifier.recipe.blocks)
        scores = classifier.scorer.scores(inputs)  # before softmax, [n, K]
        shares = scaled(heat(scores, int(result.probabilities[index].argmax())))
        small = thumbnail(overlaid(shares, prepared), photo.width / photo.height)
        found[index] = data_uri(small) if shares.any() else None
        if time.perf_counter() - start > SECONDS:
            break
    return found
