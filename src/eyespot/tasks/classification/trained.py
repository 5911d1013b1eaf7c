"""A network trained from scratch as a classifier: calibrated, and evaluated."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation import evaluate, fit_rejection
from eyespot.features.backbone import LOGITS, Backbone, load_backbone
from eyespot.features.engines import BATCH, Engine, open_engine
from eyespot.features.extract import head_inputs
from eyespot.features.usable import expect_usable
from eyespot.heads.calibration import fit_temperature, softmax
from eyespot.heads.ood import MOST_REFERENCES, fit_ood
from eyespot.heads.scorers import LogitsScorer
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.training.judged import centre
from eyespot.training.pictures import Pictures
from eyespot.training.trainer import Trained


def as_classifier(
    trained: Trained, path: Path, train: Pictures, val: Pictures | None, test: Pictures | None
) -> Classifier:
    """The network in `path`, as `trained`, with temperature, OOD threshold and metrics.

    `val` sets the temperature and the OOD threshold; without it the network's own probabilities
    stand, and no photo is rejected. The metrics are those of `test`, else of `val` (which also
    selected the epoch and the temperature, so that they are slightly optimistic).
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
    evaluated_on, images = ("the test split", test) if test else ("the validation split", val)
    if val is not None:
        sample = np.random.default_rng(0).permutation(len(train))[:MOST_REFERENCES]
        _, references, classes = _predict(engine, train.take(np.sort(sample)), body)
        scores, last, truth = _predict(engine, val, body)
        ood_scorer = fit_ood(references, classes)
        rejection = fit_rejection(ood_scorer(last), scores.argmax(axis=1) == truth)
        classifier.temperature = fit_temperature(scores, truth)
        classifier.ood_scorer, classifier.ood_threshold = ood_scorer, rejection.ood_threshold
        classifier.metrics["rejection"] = rejection.to_dict()
    if images is not None:
        scores, _, truth = _predict(engine, images, body)
        found = evaluate(softmax(scores / classifier.temperature), truth, trained.classes)
        classifier.metrics |= {**found.to_metrics(), "evaluated_on": evaluated_on}
    return classifier


def _predict(
    engine: Engine, images: Pictures, body: Backbone
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Logits [n, K], last-layer features [n, D], and labels [n], of the images' centre crops."""
    side, reading = body.preprocessing.size, Lock()

    def run(start: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        index = np.arange(start, min(start + BATCH, len(images)))
        with reading:  # images are decoded on demand for one thread at a time
            batch, labels = images.batch(index)
        squares = centre(batch, side).expand(-1, 3, -1, -1)
        features = engine.run(squares.permute(0, 2, 3, 1).numpy())
        return expect_usable(features, body.name), labels.numpy()

    with ThreadPoolExecutor(engine.workers) as pool:
        parts = list(pool.map(run, range(0, len(images), BATCH)))
    features, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    last = head_inputs(features, engine.layout, (body.last,))
    return features[:, engine.layout[LOGITS]], last, labels
