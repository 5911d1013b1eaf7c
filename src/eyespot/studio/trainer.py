"""A project's classifier, trained again on all its photos after every change.

The head comes first and can predict at once; its evaluation follows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from eyespot.arrays import most_similar, unit_rows
from eyespot.data.photos import Skipped
from eyespot.errors import PhotoError, Stopped
from eyespot.features.backbone import Backbone
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import block_widths, head_inputs
from eyespot.features.usable import fault_of
from eyespot.heads import make_method
from eyespot.heads.eigenbasis import Eigenbasis
from eyespot.heads.linear import Linear
from eyespot.heads.method import Prepared
from eyespot.heads.ood import fit_ood
from eyespot.progress import Progress
from eyespot.shown import Brief
from eyespot.studio.evaluation import ProjectEvaluation, evaluate_project
from eyespot.studio.photo_features import PhotoFeatures, TrainingSet, training_set
from eyespot.studio.project import Project
from eyespot.tasks.classification.classifier import Classifier, Recipe, TrainingPhotos
from eyespot.tasks.classification.policy import blocks_of, candidates, similarity

PENALTY = 1e-2
"""Regularization strength of the linear SVM. Measured on four datasets of up to three classes with
2 to 80 photos each, on the features selected here: held-out accuracy differs by at most 0.7 points
from that of the cross-validated strength."""
TEMPERATURE = 0.3
"""Until cross-validation finds one. On the same photos, from 5 a class on, it found 0.24 to
0.57."""
MAX_DIMENSIONS = 1024
"""Of the space in which the head is trained; see `Eigenbasis`."""


@dataclass(frozen=True, slots=True)
class SimilarPhoto:
    """A training photo. `similarity`: cosine, -1..1."""

    photo: int
    similarity: float


@dataclass(frozen=True, slots=True)
class LivePrediction:
    """`probabilities`: of every class, in order. `unknown`: out of distribution. `similar`: the
    most similar training photos, the nearest first."""

    probabilities: tuple[tuple[str, float], ...]
    unknown: bool
    similar: tuple[SimilarPhoto, ...]


@dataclass(frozen=True, repr=False)
class Trained(Brief):
    """Result of training on one version of a project.

    `classifier`: None if there are fewer than two classes with photos; `needed` names what is
    missing. `evaluation`: None until it is complete. `left_out`: photos without features. `photos`:
    ids of the training photos. `embeddings`: their last-layer features of unit length, float32
    [n, d].
    """

    version: int
    classifier: Classifier | None
    needed: str = ""
    evaluation: ProjectEvaluation | None = None
    left_out: tuple[Skipped, ...] = ()
    photos: tuple[int, ...] = ()
    embeddings: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def predict(self, data: bytes | NDArray[np.uint8], k: int = 3) -> LivePrediction:
        """Classify a photo, a file or uint8 [H, W, 3]. Needs a classifier. Raises PhotoError."""
        classifier = self.classifier
        assert classifier is not None
        features = classifier.engine.run(classifier.prepare(data)[None])
        if fault := fault_of(features):
            raise PhotoError(fault)
        probabilities, ood_scores = classifier.score_features(features)
        last = (classifier.backbone.last,)
        query = unit_rows(head_inputs(features, classifier.engine.layout, last))[0]
        similar = most_similar(query, self.embeddings, k)
        return LivePrediction(
            tuple(zip(classifier.classes, probabilities[0].tolist(), strict=True)),
            bool(ood_scores[0] > classifier.ood_threshold),
            tuple(SimilarPhoto(self.photos[row], cosine) for row, cosine in similar),
        )


class ProjectTrainer:
    """Trains one project's classifier on features of `backbone`. Holds no lock."""

    def __init__(self, backbone: Backbone, engine: Engine | None = None) -> None:
        self.backbone = backbone
        self.engine = engine or open_engine(backbone)
        self.features = PhotoFeatures(backbone, self.engine)
        self._previous: Classifier | None = None
        self._cores = ThreadpoolController()

    def update(
        self,
        project: Project,
        on_head: Callable[[Trained], None] = lambda trained: None,
        progress: Progress = lambda stage, done, total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Trained:
        """Train on the project as it is now.

        `on_head` is called with the trained head, before its evaluation. Raises Stopped if
        `stopped()` between two steps, MissingError and ProjectError.
        """

        def check() -> None:
            if stopped():
                raise Stopped("Training was stopped.")

        snapshot = project.snapshot()
        enabled = snapshot.enabled
        wanted = [photo for photo in snapshot.photos if photo.class_id in enabled]
        found = self.features.extract(project, [p.sha256 for p in wanted], progress, check)
        photos = [photo for photo in wanted if photo.sha256 in found.records]
        left_out = tuple(
            Skipped(f"photo {photo.id}", found.reasons[photo.sha256])
            for photo in wanted
            if photo.sha256 in found.reasons
        )
        used = {photo.class_id for photo in photos}
        classes = {id: name for id, name in enabled.items() if id in used}
        empty = [name for id, name in enabled.items() if id not in used]
        if len(classes) < 2:
            needed = _needed(empty, list(classes.values()))
            untrained = Trained(snapshot.version, None, needed, left_out=left_out)
            on_head(untrained)
            return untrained
        check()
        # A second core gains nothing where the browser and the camera need it, and waiting for it
        # costs a multiple: 1,200 instead of 300 ms for 600 photos on two busy cores.
        with self._cores.limit(limits=1, user_api="blas"):
            training = training_set(classes, photos, found.records, self.engine)
            classifier, prepared = self._train(training)
            last = training.features.inputs((self.backbone.last,))
            trained = Trained(
                snapshot.version,
                classifier,
                left_out=left_out,
                photos=training.ids,
                embeddings=unit_rows(last),
            )
            check()
            on_head(trained)
            calibrated, evaluation = evaluate_project(classifier, prepared, training, check)
        self._previous = calibrated
        if empty:
            advice = f"{empty[0]} has no photos yet: add some, or disable it."
            evaluation = replace(evaluation, advice=advice)
        return replace(trained, classifier=calibrated, evaluation=evaluation)

    def _train(self, training: TrainingSet) -> tuple[Classifier, Prepared]:
        """Train the first candidate of the decision table; a burst counts as one photo."""
        features, labels, classes = training.features, training.labels, training.classes
        groups = [burst or index for index, burst in enumerate(training.bursts)]
        count = float(np.median(training.distinct(groups)))
        first = candidates("auto", count, similarity(features, self.backbone))[0]
        blocks = blocks_of(first.view, features.layout)
        method = make_method(first.method)
        assert isinstance(method, Linear)
        inputs, widths = features.inputs(blocks), block_widths(features.layout, blocks)
        prepared = method.over(Eigenbasis(inputs, widths, MAX_DIMENSIONS))
        classifier = Classifier(
            classes=classes,
            backbone=self.backbone,
            recipe=Recipe(first.method, blocks, PENALTY),
            scorer=prepared.fit(labels, len(classes), PENALTY),
            temperature=TEMPERATURE,
            ood_scorer=fit_ood(features.inputs((self.backbone.last,)), labels),
            _training_photos=TrainingPhotos(features, labels),
            _engine=self.engine,
        )
        previous = self._previous
        if previous and (previous.classes, previous.recipe) == (classes, classifier.recipe):
            # Closer to what cross-validation will find than a constant: the bars hardly move.
            classifier.temperature = previous.temperature
            classifier.ood_threshold = previous.ood_threshold
        return classifier, prepared


def _needed(empty: Sequence[str], classes: Sequence[str]) -> str:
    """What is missing where fewer than two classes have photos. `empty`: enabled, no photos."""
    if classes and empty:
        return f"Add photos of {empty[0]}, to train a classifier for {classes[0]} and {empty[0]}."
    if classes:
        return f"Add a second class, with photos of something that is not {classes[0]}."
    if empty:
        return f"Add photos of {empty[0]}: record them with the camera, or drop files."
    return "Add two classes, with photos of each."
