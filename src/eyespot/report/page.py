"""The report about a classifier: from the result of teaching or evaluating to the page."""

from typing import Any

import numpy as np

from eyespot.evaluation import LearningCurve, mistakes, verdict
from eyespot.report.chart import Chart, chart
from eyespot.report.confusions import confusions
from eyespot.report.heat import heat_maps
from eyespot.report.html import fill
from eyespot.report.map import MOST_THUMBNAILS, Colouring, photo_map
from eyespot.report.photos import GALLERY, Photos, common_facts
from eyespot.shown import counted
from eyespot.tasks.classification.result import EvaluateResult


def render(result: EvaluateResult) -> str:
    """The page as HTML."""
    return fill("report.html", **contents(result))


def contents(result: EvaluateResult) -> dict[str, Any]:
    """The values of the template, plain ones."""
    classes, curve = result.classifier.classes, result.learning_curve
    photos = Photos(result.features, [classes[label] for label in result.labels])
    wrong = mistakes(result.probabilities, result.labels).tolist()
    counts = np.bincount(result.labels, minlength=len(classes))
    return {
        "classes": classes,
        "evaluation": result.evaluation,
        "verdict": verdict(result.evaluation, result.evaluated_on),
        "advice": result.advice,
        "known": result.known,
        "reason": result.reason,
        "majority": float(counts.max() / counts.sum()),
        "candidates": sorted(result.candidates, key=lambda candidate: -candidate.top1),
        "method": result.method,
        "findings": result.findings,
        **confusions(result.evaluation),
        **_misclassified(result, photos, wrong),
        "label_issues": _label_issues(result, photos),
        "duplicates": photos.duplicates([*result.duplicates.near, *result.duplicates.exact]),
        "curve": curve,
        "curve_chart": curve and _curve_chart(curve),
        "rejection": result.rejection,
        "map": _map(result, wrong),
        "skipped": result.skipped,
        "facts": _facts(result),
    }


def _misclassified(result: EvaluateResult, photos: Photos, wrong: list[int]) -> dict[str, Any]:
    """The misclassified photos of highest probability: those with an occlusion map, the rest."""
    shown = wrong[:GALLERY]
    heat = heat_maps(result, shown)
    items = {index: photos.item(index, **_predicted(result, index)) for index in shown}
    return {
        "wrong": len(wrong),
        "explained": [{**items[index], "heat": heat[index]} for index in shown if index in heat],
        "mistakes": [items[index] for index in shown if index not in heat],
    }


def _predicted(result: EvaluateResult, index: int) -> dict[str, Any]:
    best = int(result.probabilities[index].argmax())
    return {
        "predicted": result.classifier.classes[best],
        "probability": float(result.probabilities[index, best]),
    }


def _label_issues(result: EvaluateResult, photos: Photos) -> dict[str, list[dict[str, Any]]]:
    """All label issues, the clearest first: some as photos, the rest for a table."""
    classes = result.classifier.classes
    found = [
        photos.item(one.index, predicted=classes[one.suggested], probability=one.confidence)
        for one in result.label_issues
    ]
    return {"shown": found[:GALLERY], "rest": found[GALLERY:]}


def _curve_chart(curve: LearningCurve) -> Chart:
    return chart(
        "learning-curve",
        "Accuracy by the number of training photos",
        "training photos",
        curve.sizes,
        {("accuracy on held-out photos", "validation"): curve.top1},
        band=curve.intervals,
        number=lambda share: f"{100 * share:.3g}%",
    )


def _map(result: EvaluateResult, wrong: list[int]) -> dict[str, Any] | None:
    classifier = result.classifier
    return photo_map(
        result.features,
        classifier.backbone.last,
        [Colouring("label", result.labels, classifier.classes)],
        {index: f"misclassified as {_predicted(result, index)['predicted']}" for index in wrong},
        most=MOST_THUMBNAILS,
    )


def _facts(result: EvaluateResult) -> list[tuple[str, str]]:
    classifier, recipe = result.classifier, result.classifier.recipe
    blocks = counted(len(recipe.blocks), "feature block")
    facts = common_facts(
        len(result.labels), len(result.skipped), classifier.backbone, result.seconds
    )
    facts += [
        ("Engine", classifier.engine.name),
        ("Head", f"{recipe.method} on {blocks}, hyperparameter {recipe.hyperparameter:g}"),
        ("Temperature", f"{classifier.temperature:.3g}"),
    ]
    if result.photos_per_second:
        speed = f"{result.photos_per_second:,.0f} photos/s, cached photos included"
        facts.append(("Feature extraction", speed))
    return facts
