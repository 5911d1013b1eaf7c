"""From a lesson to what the page shows, and to the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from eyespot import __version__
from eyespot.evaluation import mistakes, verdict
from eyespot.report.chart import Chart, chart
from eyespot.report.confusions import confusions
from eyespot.report.heat import heat_maps
from eyespot.report.html import data_uri, fill, part
from eyespot.report.map import project
from eyespot.tasks.classification.result import EvaluateResult

GALLERY = 24
COPIES, ALIKE = 12, 6
"""Groups of copies that are shown, and photos of each."""
MOST_POINTS = 800
"""More are not told apart on a page, and their thumbnails make it heavy."""
MARKS = ("circle", "square", "triangle", "diamond", "cross")


def render(lesson: EvaluateResult) -> str:
    """The page as HTML."""
    return fill("template.html", **contents(lesson), script=part("script.js"))


def contents(lesson: EvaluateResult) -> dict[str, Any]:
    """What the template asks for: plain values."""
    evaluation = lesson.evaluation
    classes = lesson.classifier.classes
    counts = np.bincount(lesson.labels, minlength=len(classes))
    return {
        "classes": classes,
        "counts": counts.tolist(),
        "evaluation": evaluation,
        "evaluated_on": lesson.evaluated_on,
        "verdict": verdict(evaluation, lesson.evaluated_on),
        "advice": lesson.advice,
        "reason": lesson.reason,
        "majority": float(counts.max() / counts.sum()),
        "trials": sorted(lesson.candidates, key=lambda trial: -trial.top1),
        "method": lesson.method,
        "findings": lesson.findings,
        **confusions(evaluation),
        **_mistakes(lesson),
        "label_issues": _label_issues(lesson),
        "wrong": len(mistakes(lesson.probabilities, lesson.labels)),
        **_copies(lesson),
        "reliability": evaluation.reliability,
        "curve": lesson.learning_curve,
        "curve_chart": _curve(lesson),
        "rejection": lesson.rejection,
        "points": _points(lesson),
        "skipped": lesson.skipped,
        "facts": _facts(lesson),
    }


def _picture(lesson: EvaluateResult, index: int) -> dict[str, str]:
    return {
        "src": data_uri(lesson.features.thumbnails[index]),
        "name": lesson.features.names[index],
        "label": lesson.classifier.classes[lesson.labels[index]],
    }


def _mistakes(lesson: EvaluateResult) -> dict[str, list[dict[str, Any]]]:
    """The wrong answers that were surest of themselves: those with a heat map, and the rest."""
    worst = mistakes(lesson.probabilities, lesson.labels)[:GALLERY].tolist()
    heat = heat_maps(lesson, worst)
    shown = [
        {
            **_picture(lesson, index),
            "said": lesson.classifier.classes[lesson.probabilities[index].argmax()],
            "probability": float(lesson.probabilities[index].max()),
        }
        for index in worst
    ]
    return {
        "explained": [
            {**item, "heat": heat[index]}
            for index, item in zip(worst, shown, strict=True)
            if index in heat
        ],
        "mistakes": [item for index, item in zip(worst, shown, strict=True) if index not in heat],
    }


def _label_issues(lesson: EvaluateResult) -> dict[str, list[dict[str, Any]]]:
    """All label issues, the clearest first: some as photos, the rest in a table."""
    found = [
        {
            "index": label_issue.index,
            "name": lesson.features.names[label_issue.index],
            "label": lesson.classifier.classes[lesson.labels[label_issue.index]],
            "said": lesson.classifier.classes[label_issue.suggested],
            "probability": label_issue.confidence,
        }
        for label_issue in lesson.label_issues
    ]
    shown = [{**item, **_picture(lesson, item["index"])} for item in found[:GALLERY]]
    return {"shown": shown, "rest": found[GALLERY:]}


def _copies(lesson: EvaluateResult) -> dict[str, Any]:
    groups: Sequence[list[int]] = [*lesson.duplicates.near, *lesson.duplicates.exact]
    shown = [
        {
            "pictures": [_picture(lesson, index) for index in group[:ALIKE]],
            "more": max(0, len(group) - ALIKE),
        }
        for group in groups[:COPIES]
    ]
    return {"copies": shown, "more_copies": max(0, len(groups) - COPIES)}


def _curve(lesson: EvaluateResult) -> Chart | None:
    curve = lesson.learning_curve
    if curve is None:
        return None
    return chart(
        "learning-curve",
        "Accuracy by the number of photos to train on",
        "photos to train on",
        curve.sizes,
        {("accuracy", "unseen"): curve.top1},
        band=curve.intervals,
        number=lambda share: f"{100 * share:.3g}%",
    )


def _points(lesson: EvaluateResult) -> list[dict[str, Any]]:
    """Photos on the map: place in 0..1, class, thumbnail, and what was said of it."""
    count = len(lesson.labels)
    picked = np.arange(count)
    if count > MOST_POINTS:
        picked = np.sort(np.random.default_rng(0).permutation(count)[:MOST_POINTS])
    if count < 3:
        return []
    places = project(lesson.features.take(picked).inputs((lesson.classifier.backbone.last,)))
    points = []
    for index, (x, y) in zip(picked.tolist(), places.tolist(), strict=True):
        row = lesson.probabilities[index]
        said = None if np.isnan(row[0]) else int(row.argmax())
        label = int(lesson.labels[index])
        points.append(
            {
                **_picture(lesson, index),
                "x": round(x, 4),
                "y": round(y, 4),
                "class": label,
                "mark": MARKS[label % len(MARKS)],
                "hue": round(360 * label * 0.381966) % 360,  # the golden angle keeps hues apart
                "said": lesson.classifier.classes[said]
                if said is not None and said != label
                else "",
            }
        )
    return points


def _facts(lesson: EvaluateResult) -> list[tuple[str, str]]:
    backbone = lesson.classifier.backbone
    seconds = lesson.seconds
    return [
        ("Photos", f"{len(lesson.labels)} used, {len(lesson.skipped)} skipped"),
        ("Network", f"{backbone.name} (weights {backbone.sha256[:12]})"),
        ("Engine", lesson.classifier.engine.name),
        ("Head", f"{lesson.method}, hyperparameter {lesson.classifier.recipe.hyperparameter:g}"),
        ("Temperature", f"{lesson.classifier.temperature:.3g}"),
        ("Photos to features", f"{lesson.photos_per_second:.0f} photos/s (cached ones included)"),
        ("Time", ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())),
        ("eyespot", __version__),
    ]
