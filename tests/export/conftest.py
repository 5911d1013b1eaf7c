"""Small classifiers of every kind of head, over an untrained network."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eyespot.data.photos import MemorySource, Photo
from eyespot.features.backbone import LOGITS, load_backbone
from eyespot.features.engines import open_engine
from eyespot.features.extract import block_widths, embed
from eyespot.heads import make_method
from eyespot.heads.ood import fit_ood
from eyespot.heads.scorers import LogitsScorer
from eyespot.tasks.classification.classifier import Classifier, Recipe
from tests.pictures import patches

NAMES = ("brick", "grass", "gravel")
KINDS = ("logistic", "knn", "prototypes", "logits")


@pytest.fixture
def classifier_of(network: Path) -> Callable[[str], Classifier]:
    """The classifier of a kind. `logits` crops its photos, as trained networks do."""

    def make(kind: str) -> Classifier:
        body = load_backbone(str(network))
        if kind == "logits":
            pixels = replace(body.preprocessing, fit="crop", crop_fraction=0.875)
            body = replace(body, preprocessing=pixels, blocks=(LOGITS, body.last))
        engine = open_engine(body, precision="fp32")
        photos = [
            Photo(f"{name}/{number}", MemorySource(patch), name)
            for name in NAMES
            for number, patch in enumerate(patches(name, 8, side=64))
        ]
        features, _, _ = embed(photos, body, engine)
        labels = np.repeat(np.arange(3), 8)
        ood_scorer = fit_ood(features.inputs((body.last,)), labels)
        if kind == "logits":
            names = tuple(str(number) for number in range(10))
            recipe = Recipe("training", (LOGITS,), 0.0)
            scores = LogitsScorer(10)
            return Classifier(names, body, recipe, scores, 1.7, ood_scorer, 0.5, _engine=engine)
        method, blocks = make_method(kind), body.blocks[-2:]
        widths = block_widths(features.layout, blocks)
        hyperparameter = 3 if kind == "knn" else method.hyperparameters[0]
        scorer = method.prepare(features.inputs(blocks), widths).fit(labels, 3, hyperparameter)
        recipe = Recipe(kind, blocks, hyperparameter)
        warmth = 6.0 if kind == "knn" else 0.6  # that a class without a vote is seen
        return Classifier(NAMES, body, recipe, scorer, warmth, ood_scorer, 0.01, _engine=engine)

    return make
