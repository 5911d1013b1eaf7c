"""A trained network as a classifier like any other: calibrated, judged, and in one file."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.classifier import Classifier, Recipe
from eyespot.evaluation import evaluate, fit_rejection
from eyespot.features.backbone import LOGITS, Backbone, load_backbone
from eyespot.features.engines import BATCH, Engine, open_engine
from eyespot.features.extract import head_inputs
from eyespot.heads.calibration import fit_temperature, softmax
from eyespot.heads.familiarity import MOST_REFERENCES, learn_familiarity
from eyespot.heads.scorers import LogitsScorer
from eyespot.training.pictures import Pictures
from eyespot.training.trainer import Trained


def as_classifier(
    trained: Trained, path: Path, learn: Pictures, val: Pictures | None, test: Pictures | None
) -> Classifier:
    """The network in `path`, as `trained`, with all that a classifier knows of itself.

    `val` sets the temperature and the threshold of "none of these"; without it the network's own
    probabilities stand, and nothing is refused. `test`, else `val`, says how good it is.
    """
    body = load_backbone(str(path))
    body = replace(body, preprocessing=trained.preprocessing, blocks=(LOGITS, body.last))
    engine = open_engine(body)
    classifier = Classifier(
        classes=trained.classes,
        backbone=body,
        recipe=Recipe("training", (LOGITS,), 0.0),
        scorer=LogitsScorer(len(trained.classes)),
        _engine=engine,
    )
    if val is not None:
        sample = np.random.default_rng(0).permutation(len(learn))[:MOST_REFERENCES]
        answers, known = _answers(engine, val, body)
        _, seen = _answers(engine, learn.take(np.sort(sample)), body)
        classifier.temperature = fit_temperature(answers, val.labels)
        classifier.familiarity = learn_familiarity(seen, learn.labels[np.sort(sample)])
        rejection = fit_rejection(
            classifier.familiarity(known), answers.argmax(axis=1) == val.labels
        )
        classifier.threshold = rejection.threshold
        classifier.metrics["rejection"] = rejection.to_dict()
    for pictures, words in ((test, "the test split"), (val, "the validation pictures")):
        if pictures is not None:
            answers, _ = _answers(engine, pictures, body)
            probabilities = softmax(answers / classifier.temperature)
            found = evaluate(probabilities, pictures.labels, trained.classes)
            classifier.metrics |= {**found.to_dict(), "evaluated_on": words}
            break
    return classifier


def _answers(
    engine: Engine, pictures: Pictures, body: Backbone
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [n, K], and what familiarity sees [n, D], of the pictures' centres."""
    with ThreadPoolExecutor(engine.workers) as pool:
        features = np.concatenate(
            list(pool.map(engine.run, _batches(pictures, body.preprocessing.size)))
        )
    return features[:, engine.layout[LOGITS]], head_inputs(features, engine.layout, (body.last,))


def _batches(pictures: Pictures, side: int) -> Iterator[NDArray[np.uint8]]:
    """The centres of all pictures as engines take them: uint8 RGB [n, side, side, 3]."""
    for start in range(0, len(pictures), BATCH):
        images, _ = pictures.batch(np.arange(start, min(start + BATCH, len(pictures))))
        edge = (images.shape[2] - side) // 2
        centre = images[:, :, edge : edge + side, edge : edge + side]
        yield centre.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
