"""A trained network as a classifier like any other: calibrated, judged, and in one file."""

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
from eyespot.heads.ood import MOST_REFERENCES, learn_familiarity
from eyespot.heads.scorers import LogitsScorer
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.training.evaluate import centre
from eyespot.training.images import ImageSet
from eyespot.training.run import Trained


def as_classifier(
    trained: Trained, path: Path, learn: ImageSet, val: ImageSet | None, test: ImageSet | None
) -> Classifier:
    """The network in `path`, as `trained`, with all that a classifier knows of itself.

    `val` sets the temperature and the threshold of "none of these"; without it the network's own
    probabilities stand, and nothing is refused. `test`, else `val`, says how good it is (`val`
    also chose the epoch and the temperature, so that it flatters a little).
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
    judged, words = (test, "the test split") if test is not None else (val, "the validation split")
    if val is not None:
        sample = np.random.default_rng(0).permutation(len(learn))[:MOST_REFERENCES]
        _, seen, kinds = _answers(engine, learn.take(np.sort(sample)), body)
        scores, last, truth = _answers(engine, val, body)
        familiarity = learn_familiarity(seen, kinds)
        rejection = fit_rejection(familiarity(last), scores.argmax(axis=1) == truth)
        classifier.temperature = fit_temperature(scores, truth)
        classifier.familiarity, classifier.threshold = familiarity, rejection.threshold
        classifier.metrics["rejection"] = rejection.to_dict()
    if judged is not None:
        scores, _, truth = _answers(engine, judged, body)
        found = evaluate(softmax(scores / classifier.temperature), truth, trained.classes)
        classifier.metrics |= {**found.to_metrics(), "evaluated_on": words}
    return classifier


def _answers(
    engine: Engine, pictures: ImageSet, body: Backbone
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Logits [n, K], what familiarity sees [n, D], and labels, of the pictures' centres."""
    side, reading = body.preprocessing.size, Lock()

    def run(start: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        index = np.arange(start, min(start + BATCH, len(pictures)))
        with reading:  # pictures that are decoded on demand are so for one at a time
            images, labels = pictures.batch(index)
        squares = centre(images, side).expand(-1, 3, -1, -1)
        features = engine.run(squares.permute(0, 2, 3, 1).numpy())
        return expect_usable(features, body.name), labels.numpy()

    with ThreadPoolExecutor(engine.workers) as pool:
        parts = list(pool.map(run, range(0, len(pictures), BATCH)))
    features, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    last = head_inputs(features, engine.layout, (body.last,))
    return features[:, engine.layout[LOGITS]], last, labels
