"""Step 5 of `teach`: the selected candidate, trained on all training photos."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation import LearningCurve, learning_curve
from eyespot.heads.ood import fit_ood, out_of_fold_ood_scores
from eyespot.shown import Brief
from eyespot.tasks.classification.audit import AuditedPhotos
from eyespot.tasks.classification.classifier import Classifier, Recipe, TrainingPhotos
from eyespot.tasks.classification.cross_validate import ValidatedHead
from eyespot.tasks.classification.options import TeachOptions
from eyespot.tasks.classification.select import Selection
from eyespot.tasks.classification.split import TrainingSet

if TYPE_CHECKING:
    from eyespot.tasks.classification.finetune import ValidatedTuning

MOST_HIDDEN = 10
"""Classes that are hidden in turn, to measure how many of their photos are rejected."""
LEAST_FOR_CURVE = 5
"""Photos of the smallest class for a learning curve."""


@dataclass(frozen=True, repr=False)
class Fitted(Brief):
    """`ood_scores`: float32 [n], of the training photos, out of fold. `hidden`: float32 [m], of
    photos whose class was hidden; None where that cannot be measured."""

    classifier: Classifier
    ood_scores: NDArray[np.float32]
    hidden: NDArray[np.float32] | None = None
    learning_curve: LearningCurve | None = None


def fit_classifier(audited: AuditedPhotos, selection: Selection, options: TeachOptions) -> Fitted:
    """Train the selected candidate on all training photos."""
    train, selected = selection.train, selection.selected
    if not isinstance(selected, ValidatedHead):
        tuning = cast("ValidatedTuning", selected)
        classifier = tuning.classifier(train.labels, audited.classes, options.progress)
        return Fitted(classifier, tuning.ood_scores)
    embedded, forget = audited.embedded, options.forget_photos
    last, found = train.features.inputs((embedded.backbone.last,)), selected.found
    classifier = Classifier(
        classes=audited.classes,
        backbone=embedded.backbone,
        recipe=Recipe(selected.candidate.method, selected.blocks, found.hyperparameter),
        scorer=selected.prepared.fit(train.labels, train.classes, found.hyperparameter),
        temperature=found.temperature,
        ood_scorer=fit_ood(last, train.labels, forget_photos=forget),
        _engine=embedded.engine,
        _training_photos=None if forget else TrainingPhotos(train.features, train.labels),
    )
    folds = train.split.repeats[0]
    return Fitted(
        classifier,
        out_of_fold_ood_scores(last, train.labels, folds, forget_photos=forget),
        _hidden(last, train.labels, forget),
        _learning_curve(selected, train),
    )


def _hidden(
    last: NDArray[np.float32], labels: NDArray[np.int64], forget_photos: bool
) -> NDArray[np.float32] | None:
    """OOD scores float32 [m] of photos of each class against all other classes."""
    classes = np.unique(labels)
    if len(classes) < 3:
        return None
    rng = np.random.default_rng(0)
    out = []
    for hidden in rng.permutation(classes)[:MOST_HIDDEN]:
        others = np.flatnonzero(labels != hidden)
        scorer = fit_ood(last[others], labels[others], forget_photos=forget_photos)
        out.append(scorer(last[rng.permutation(np.flatnonzero(labels == hidden))[:200]]))
    return np.concatenate(out)


def _learning_curve(selected: ValidatedHead, train: TrainingSet) -> LearningCurve | None:
    """The selected head trained on a quarter, a half and all of each fold's photos."""
    labels, found = train.labels, selected.found
    if min(np.bincount(labels, minlength=train.classes)) < LEAST_FOR_CURVE:
        return None
    rank = _rank_in_class(labels)
    sizes, correct = [], []
    for share in (0.25, 0.5, 1.0):
        parts = [(part[rank[part] <= share], test) for part, test in train.split.repeats[0]]
        if share == 1 and len(train.split.repeats) == 1:  # cross-validation had these folds
            scores = found.scores
        else:
            scores = selected.prepared.out_of_fold(
                labels, train.classes, parts, (found.hyperparameter,)
            )[0]
        held_out = ~np.isnan(scores[:, 0])
        correct.append(scores[held_out].argmax(axis=1) == labels[held_out])
        sizes.append(round(float(np.mean([len(part) for part, _ in parts]))))
    return learning_curve(sizes, correct, len(labels))


def _rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """A random rank above 0 to 1 for each photo among those of its class, evenly spread."""
    order = np.random.default_rng(0).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    first = np.cumsum(counts) - counts
    rank = np.empty(len(labels))
    rank[order] = (np.arange(len(labels)) - first[labels[order]] + 1) / counts[labels[order]]
    return rank
