"""The classifier as one torch module: equal pixels, equal predictions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from eyespot.data.transforms import Fit, Preprocessing, prepare
from eyespot.export.graph import ClassifierModule, resized
from eyespot.tasks.classification.classifier import Classifier
from tests.export.conftest import KINDS
from tests.pictures import patches


@pytest.mark.parametrize("fit", ["stretch", "crop"])
@pytest.mark.parametrize(
    "shape", [(1, 1), (32, 32), (33, 200), (96, 37), (7, 300), (250, 250), (500, 333)]
)
def test_photos_are_resized_as_pillow_does(fit: Fit, shape: tuple[int, int]) -> None:
    (surface,) = patches("gravel", 1, side=500)
    pixels = np.ascontiguousarray(surface[: shape[0], : shape[1]])
    pixels[::2] = pixels[::2] // 3  # edges, beyond which a cubic overshoots
    preprocessing = Preprocessing(32, (0, 0, 0), (1, 1, 1), fit, 0.85)
    expected = prepare(pixels, preprocessing).astype(int)
    (found,) = resized(torch.from_numpy(pixels)[None], preprocessing).numpy()
    assert found.shape == (32, 32, 3)
    assert np.abs(found - expected).max() <= 1
    if shape[0] <= shape[1]:  # else columns may come first
        assert (found != expected).mean() < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_the_classifier(
    kind: str, classifier_of: Callable[[str], Classifier]
) -> None:
    classifier = classifier_of(kind)
    size = classifier.backbone.preprocessing.size
    side = round(size / 0.875) if kind == "logits" else size
    pictures = [*patches("brick", 3, side, 5), *patches("gravel", 3, side, 5)]
    prepared = [prepare(pixels, classifier.backbone.preprocessing) for pixels in pictures]
    shares, scores = classifier.score_features(classifier.engine.run(np.stack(prepared)))
    low, *_, high = sorted(scores)
    classifier.ood_threshold = (low + high) / 2  # some are known, some are not
    module = ClassifierModule(classifier)
    probabilities, ood_score, unknown = module(torch.from_numpy(np.stack(pictures)))
    np.testing.assert_allclose(probabilities, shares, atol=2e-4)
    np.testing.assert_allclose(ood_score, scores, atol=1e-5)
    assert unknown.tolist() == (scores > classifier.ood_threshold).tolist()


def test_without_an_ood_scorer_nothing_is_unknown(
    classifier_of: Callable[[str], Classifier],
) -> None:
    module = ClassifierModule(replace(classifier_of("logistic"), ood_scorer=None))
    _, ood_score, unknown = module(torch.zeros(1, 9, 9, 3, dtype=torch.uint8))
    assert torch.isnan(ood_score)
    assert not unknown
