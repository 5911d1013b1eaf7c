"""The report about a classifier: from the result of teaching or evaluating to the page."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eyespot.data.duplicates import Duplicates
from eyespot.evaluation import Evaluation, LabelIssue, LearningCurve, advice, mistakes, verdict
from eyespot.features.extract import Features
from eyespot.report.chart import Chart, chart
from eyespot.report.confusions import confusions
from eyespot.report.heat import heat_maps
from eyespot.report.html import fill, part
from eyespot.report.map import MOST_THUMBNAILS, Colouring, photo_map
from eyespot.report.photos import GALLERY, Photos, common_facts
from eyespot.shown import counted
from eyespot.tasks.classification.classifier import Classifier


class Reported(Protocol):
    """What a report needs: n photos, and an evaluation of a classifier on some or all of them.

    `labels`: int64 [n], indices of the classifier's classes. `probabilities`: float64 [n, K];
    rows of photos that were not evaluated are NaN.

    The page also shows these attributes of an `EvaluateResult`, where a result has them:
    `evaluated_on`, `known`, `reason`, `method`, `candidates`, `trained`, `learning_curve`,
    `rejection`, `findings`, `label_issues`, `duplicates`, `skipped`, `dataset` (for occlusion
    maps), `seconds`, `photos_per_second`.
    """

    @property
    def classifier(self) -> Classifier: ...
    @property
    def features(self) -> Features: ...
    @property
    def labels(self) -> NDArray[np.int64]: ...
    @property
    def probabilities(self) -> NDArray[np.float64]: ...
    @property
    def evaluation(self) -> Evaluation: ...


def render(result: Reported) -> str:
    """The page as HTML."""
    return fill("report.html", **contents(result), script=part("map.js"))


def contents(result: Reported) -> dict[str, Any]:
    """The values of the template, plain ones."""
    evaluation, classes = result.evaluation, result.classifier.classes
    photos = Photos(result.features, [classes[label] for label in result.labels])
    wrong = mistakes(result.probabilities, result.labels).tolist()
    curve: LearningCurve | None = getattr(result, "learning_curve", None)
    trained: Sequence[int] | None = getattr(result, "trained", None)
    duplicates: Duplicates | None = getattr(result, "duplicates", None)
    groups = [*duplicates.near, *duplicates.exact] if duplicates else []
    candidates = getattr(result, "candidates", ())
    counts = np.bincount(result.labels, minlength=len(classes))
    return {
        "classes": classes,
        "evaluation": evaluation,
        "verdict": verdict(evaluation, getattr(result, "evaluated_on", "these photos")),
        "advice": advice(evaluation, None if trained is None else [*trained], curve),
        "known": getattr(result, "known", ()),
        "reason": getattr(result, "reason", ""),
        "majority": float(counts.max() / counts.sum()),
        "candidates": sorted(candidates, key=lambda candidate: -candidate.top1),
        "method": getattr(result, "method", ""),
        "findings": getattr(result, "findings", ()),
        **confusions(evaluation),
        **_misclassified(result, photos, wrong),
        "label_issues": _label_issues(result, photos),
        "duplicates": photos.duplicates(groups),
        "curve": curve,
        "curve_chart": curve and _curve_chart(curve),
        "rejection": getattr(result, "rejection", None),
        "map": _map(result, wrong),
        "skipped": getattr(result, "skipped", ()),
        "facts": _facts(result),
    }


def _misclassified(result: Reported, photos: Photos, wrong: list[int]) -> dict[str, Any]:
    """The misclassified photos of highest probability: those with an occlusion map, the rest."""
    shown = wrong[:GALLERY]
    heat = heat_maps(result, shown)
    items = {index: photos.item(index, **_predicted(result, index)) for index in shown}
    return {
        "wrong": len(wrong),
        "explained": [{**items[index], "heat": heat[index]} for index in shown if index in heat],
        "mistakes": [items[index] for index in shown if index not in heat],
    }


def _predicted(result: Reported, index: int) -> dict[str, Any]:
    best = int(result.probabilities[index].argmax())
    return {
        "predicted": result.classifier.classes[best],
        "probability": float(result.probabilities[index, best]),
    }


def _label_issues(result: Reported, photos: Photos) -> dict[str, list[dict[str, Any]]]:
    """All label issues, the clearest first: some as photos, the rest for a table."""
    issues: Sequence[LabelIssue] = getattr(result, "label_issues", ())
    found = [
        {
            **photos.item(issue.index),
            "predicted": result.classifier.classes[issue.suggested],
            "probability": issue.confidence,
        }
        for issue in issues
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


def _map(result: Reported, wrong: list[int]) -> dict[str, Any] | None:
    classifier = result.classifier
    return photo_map(
        result.features,
        classifier.backbone.last,
        [Colouring("label", result.labels, classifier.classes)],
        {index: f"misclassified as {_predicted(result, index)['predicted']}" for index in wrong},
        most=MOST_THUMBNAILS,
    )


def _facts(result: Reported) -> list[tuple[str, str]]:
    classifier, recipe = result.classifier, result.classifier.recipe
    blocks = counted(len(recipe.blocks), "feature block")
    skipped, seconds = len(getattr(result, "skipped", ())), getattr(result, "seconds", None)
    facts = common_facts(len(result.labels), skipped, classifier.backbone, seconds)
    facts += [
        ("Engine", classifier.engine.name),
        ("Head", f"{recipe.method} on {blocks}, hyperparameter {recipe.hyperparameter:g}"),
        ("Temperature", f"{classifier.temperature:.3g}"),
    ]
    if speed := getattr(result, "photos_per_second", None):
        facts.append(("Feature extraction", f"{speed:,.0f} photos/s, cached photos included"))
    return facts
