"""Train a head again by a known recipe, when photos or classes come or go."""

from eyespot.data.splits import FOLDS, fold_of, folds
from eyespot.evaluation import evaluate
from eyespot.evaluation.crossval import cross_validate
from eyespot.evaluation.rejection import fit_rejection
from eyespot.features.extract import block_widths
from eyespot.heads import make_method
from eyespot.heads.ood import fit_ood, out_of_fold_ood_scores
from eyespot.tasks.classification.manifest import Model
from eyespot.tasks.classification.split import CROSS_VALIDATED
from eyespot.tasks.classification.training_photos import TrainingPhotos


def retrain(model: Model, classes: tuple[str, ...], photos: TrainingPhotos) -> None:
    """Cross-validate the recipe at its one hyperparameter, then train on all photos, in place."""
    features, labels, recipe = photos.features, photos.labels, model.recipe
    groups = features.duplicates().group
    parts = fold_of(labels, groups, FOLDS)
    split = folds(parts)
    prepared = make_method(recipe.method).prepare(
        features.inputs(recipe.blocks), block_widths(features.layout, recipe.blocks)
    )
    found = cross_validate(prepared, labels, len(classes), [split], parts, (recipe.hyperparameter,))
    correct = found.probabilities.argmax(axis=1) == labels
    last = features.inputs((model.backbone.last,))
    rejection = fit_rejection(out_of_fold_ood_scores(last, labels, split), correct)
    evaluation = evaluate(found.probabilities, labels, classes, groups)
    scorer = prepared.fit(labels, len(classes), recipe.hyperparameter)
    model.ood_scorer, model.ood_threshold = fit_ood(last, labels), rejection.ood_threshold
    model.classes, model.scorer, model.temperature = classes, scorer, found.temperature
    model.metrics = {
        **evaluation.to_metrics(),
        "evaluated_on": CROSS_VALIDATED,
        "rejection": rejection.to_dict(),
    }
