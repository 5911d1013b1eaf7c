"""Train a head again by a known recipe, when photos or classes come or go."""

from dataclasses import dataclass
from typing import Any

from eyespot.data.duplicates import find_duplicates
from eyespot.data.splits import FOLDS, fold_of, folds
from eyespot.evaluation import evaluate
from eyespot.evaluation.crossval import cross_validate
from eyespot.evaluation.rejection import fit_rejection
from eyespot.features.backbone import Backbone
from eyespot.features.extract import block_widths
from eyespot.heads import make_method
from eyespot.heads.ood import OodScorer, fit_ood, out_of_fold_ood_scores
from eyespot.heads.scorers import Scorer
from eyespot.shown import Brief
from eyespot.tasks.classification.manifest import Recipe
from eyespot.tasks.classification.split import CROSS_VALIDATED
from eyespot.tasks.classification.training_photos import TrainingPhotos


@dataclass(frozen=True, repr=False)
class Retrained(Brief):
    """A head with its calibration, OOD ood_threshold and metrics."""

    scorer: Scorer
    temperature: float
    ood_scorer: OodScorer
    ood_threshold: float
    metrics: dict[str, Any]


def retrain(
    recipe: Recipe, backbone: Backbone, classes: tuple[str, ...], photos: TrainingPhotos
) -> Retrained:
    """Cross-validate the recipe at its one hyperparameter, then train on all photos."""
    features, labels = photos.features, photos.labels
    groups = find_duplicates(features.sha256, features.dhash, features.thumbnails).group
    parts = fold_of(labels, groups, FOLDS)
    split = folds(parts)
    prepared = make_method(recipe.method).prepare(
        features.inputs(recipe.blocks), block_widths(features.layout, recipe.blocks)
    )
    found = cross_validate(prepared, labels, len(classes), [split], parts, (recipe.hyperparameter,))
    correct = found.probabilities.argmax(axis=1) == labels
    last = features.inputs((backbone.last,))
    rejection = fit_rejection(out_of_fold_ood_scores(last, labels, split), correct)
    return Retrained(
        scorer=prepared.fit(labels, len(classes), recipe.hyperparameter),
        temperature=found.temperature,
        ood_scorer=fit_ood(last, labels),
        ood_threshold=rejection.ood_threshold,
        metrics={
            **evaluate(found.probabilities, labels, classes, groups).to_metrics(),
            "evaluated_on": CROSS_VALIDATED,
            "rejection": rejection.to_dict(),
        },
    )
