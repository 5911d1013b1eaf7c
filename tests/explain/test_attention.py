"""Grad-CAM of taught heads: against its definition, and against captum."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from eyespot.arrays import unit_rows
from eyespot.explain.gradcam import attention, grad_cam
from eyespot.features.backbone import LOGITS, Backbone, load_network
from eyespot.features.engines import columns_of
from eyespot.features.extract import signed_roots
from eyespot.features.extractor import build_extractor
from eyespot.heads.scorers import (
    LinearScorer,
    LogitsScorer,
    NeighboursScorer,
    Scorer,
)
from eyespot.tasks.classification.classifier import Classifier, Recipe
from tests.pictures import patches

K = 3


@pytest.fixture
def photo() -> np.ndarray:
    return patches("gravel", 1, 32)[0]


def width(backbone: Backbone, blocks: tuple[str, ...]) -> int:
    parts = columns_of(build_extractor(backbone)[1])
    return sum(parts[block].stop - parts[block].start for block in blocks)


def taught(backbone: Backbone, blocks: tuple[str, ...], kind: str = "linear") -> Classifier:
    """A classifier with a head that was drawn by lot."""
    rng = np.random.default_rng(0)
    d = width(backbone, blocks)

    def normal(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    scorer: Scorer = LinearScorer(normal(d, K), normal(K))
    if kind == "neighbours":
        rows = unit_rows(normal(30, d))
        scorer = NeighboursScorer(normal(d), abs(normal(d)), rows, np.arange(30) % K, 20, K)
    return Classifier(("a", "b", "c"), backbone, Recipe(kind, blocks, 1.0), scorer)


def score(classifier: Classifier, index: int) -> Callable[[dict[str, Tensor]], float]:
    """Of the class `index`, by maps."""
    extractor: object = build_extractor(classifier.backbone)[0]

    def ask(maps: dict[str, Tensor]) -> float:
        features = extractor.double().features(maps)  # type: ignore[attr-defined]
        seen = torch.cat([features[block] for block in classifier.recipe.blocks], 1).numpy()
        return float(classifier.scorer.scores(signed_roots(seen))[0, index])

    return ask


@pytest.mark.parametrize("kind", ["linear", "neighbours"])
@pytest.mark.parametrize("index", range(K))
def test_it_is_what_the_paper_defines(
    backbone: Backbone, photo: np.ndarray, kind: str, index: int
) -> None:
    """The mean slope of a channel, by adding a little to all of it."""
    blocks = tuple(b for b in backbone.blocks if b.endswith(".mean"))
    classifier = taught(backbone, blocks, kind)
    ask = score(classifier, index)
    extractor: object = build_extractor(backbone)[0]
    with torch.no_grad():
        maps = extractor.double().maps(torch.from_numpy(photo[None]).double())  # type: ignore[attr-defined]
    name, last = list(maps.items())[-1]
    step = 1e-3
    slopes = []
    for channel in range(last.shape[1]):
        moved = {sign: {**maps, name: last.clone()} for sign in (1, -1)}
        for sign, changed in moved.items():
            changed[name][0, channel] += sign * step
        places = last.shape[2] * last.shape[3]
        slopes.append((ask(moved[1]) - ask(moved[-1])) / (2 * step) / places)
    expected = np.tensordot(slopes, last[0].numpy(), 1).clip(min=0)
    found = attention(classifier, photo, index)
    assert found.shape == tuple(last.shape[2:])
    assert np.allclose(found, expected / (expected.max() or 1), atol=2e-2)


@pytest.mark.parametrize("index", range(K))
def test_captum_agrees(backbone: Backbone, photo: np.ndarray, index: int) -> None:
    captum = pytest.importorskip("captum.attr")
    classifier = taught(backbone, (backbone.last,))
    assert isinstance(classifier.scorer, LinearScorer)
    weights, bias = map(torch.from_numpy, (classifier.scorer.weights, classifier.scorer.bias))

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.extractor: object = build_extractor(backbone)[0]

        def forward(self, pictures: Tensor) -> Tensor:
            extractor = self.extractor
            features = extractor.features(extractor.maps(pictures))  # type: ignore[attr-defined]
            seen = features[backbone.last]
            return torch.addmm(bias, seen.abs().sqrt() * seen.sign(), weights)

    whole = Whole()
    layer = list(whole.extractor.network.stages.values())[-1]  # type: ignore[attr-defined]
    pixels = torch.from_numpy(photo[None].astype(np.float32)).requires_grad_()
    theirs = captum.LayerGradCam(whole, layer).attribute(pixels, index, relu_attributions=True)
    expected = theirs[0, 0].detach().numpy()
    found = attention(classifier, photo, index)
    assert np.allclose(found, expected / (expected.max() or 1), atol=1e-4)


def test_a_networks_own_head_is_explained_as_before(backbone: Backbone, photo: np.ndarray) -> None:
    own = replace(backbone, blocks=(LOGITS,))
    classifier = Classifier(tuple("0123456789"), own, Recipe("", (LOGITS,), 0), LogitsScorer(10))
    for index in range(10):
        expected = grad_cam(load_network(backbone), photo, backbone.preprocessing, index)
        assert np.allclose(attention(classifier, photo, index), expected, atol=1e-4)


def test_the_last_stage_that_the_head_reads_is_shown(backbone: Backbone, photo: np.ndarray) -> None:
    sides = {
        blocks: len(attention(taught(backbone, blocks), photo, 0))
        for blocks in (("stage1.mean",), ("stage1.mean", "stage2.mean"), (backbone.last,))
    }
    assert list(sides.values()) == [32, 16, 8]


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_photo_of_nothing_gives_numbers(backbone: Backbone, colour: int) -> None:
    """Maps that are zero, or the same everywhere, have roots without a slope."""
    classifier = taught(backbone, backbone.blocks)
    heat = attention(classifier, np.full((32, 32, 3), colour, np.uint8), 0)
    assert np.isfinite(heat).all()
    assert heat.min() >= 0
    assert heat.max() in (0, 1)
