"""The page of a training run: its curves after each epoch; at the end, the evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

from eyespot.evaluation import evaluate, mistakes, wilson_interval
from eyespot.report.chart import Chart, Kind, chart
from eyespot.report.confusions import confusions
from eyespot.report.html import fill, image_uri
from eyespot.report.photos import GALLERY
from eyespot.tasks.classification.train import Training
from eyespot.training.evaluate import class_probabilities
from eyespot.training.log import Epoch, best_epoch, describe_ending
from eyespot.training.plan import Plan
from eyespot.training.settings import used_settings

SIDE = 160
"""Longest side of an image on the page, in pixels."""


def render(
    plan: Plan,
    epochs: Sequence[Epoch],
    training: Training | None = None,
    more: Mapping[str, float] | None = None,
) -> str:
    """The page as HTML. `epochs`: at least one. `training`: the result, None before the end.
    `more`: settings that are not in the plan, by name."""
    best = best_epoch(epochs)
    if training:
        settings = training.settings
    else:  # the network's own dropout layers are known at the end
        droppable = plan.dropout is not None
        settings = used_settings(plan, validated=best is not None, droppable=droppable)
    settings |= {name: value for name, value in (more or {}).items() if value}
    if settings.get("dropout", 0) is None:
        settings["dropout"] = "the network's own"
    unused = [name for name in plan.to_dict() if name not in (*settings, "model")]
    return fill(
        "training.html",
        plan=plan,
        epochs=epochs,
        best=best,
        results=_results(best or epochs[-1], training),
        over=training is not None,
        charts=_charts(epochs, best),
        interval=lambda epoch: _interval(epoch.val_accuracy, epoch.val_images),
        settings=[(_words(name), value) for name, value in settings.items()],
        unused=[_words(name).lower() for name in unused],
        ending=describe_ending(epochs, plan.epochs) if training or epochs[-1].stopped_early else "",
        skipped=training.skipped if training else (),
        trained_on=training.train_photos if training else epochs[-1].images,
        **_validation(plan, training),
    )


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _interval(accuracy: float, count: int) -> tuple[float, float]:
    return wilson_interval(accuracy * count, count)


def _results(kept: Epoch, training: Training | None) -> list[dict[str, Any]]:
    """Accuracy and loss of the kept weights on validation and test images."""

    def result(of: str, accuracy: float, loss: float, count: int) -> dict[str, Any]:
        interval = _interval(accuracy, count)
        return {"of": of, "accuracy": accuracy, "interval": interval, "loss": loss, "count": count}

    results = []
    if kept.val_accuracy is not None and kept.val_loss is not None:
        results.append(result("validation", kept.val_accuracy, kept.val_loss, kept.val_images))
    if training and training.test:
        results.append(result("test", training.test[1], training.test[0], training.tested))
    return results


def _charts(epochs: Sequence[Epoch], best: Epoch | None) -> list[Chart]:
    numbers = [epoch.epoch for epoch in epochs]
    mark = (best.epoch, f"best: epoch {best.epoch}") if best else None

    def column(name: str) -> list[float | None]:
        return [getattr(epoch, name) for epoch in epochs]

    def both(name: str, **options: Any) -> Chart:
        lines: dict[tuple[str, Kind], Sequence[float | None]] = {
            ("training", "training"): column(name),
            ("validation", "validation"): column(f"val_{name}"),
        }
        return chart(name, name.capitalize(), "epoch", numbers, lines, mark=mark, **options)

    rate: dict[tuple[str, Kind], Sequence[float | None]]
    rate = {("learning rate", "validation"): column("learning_rate")}
    plain: dict[str, Any] = {"from_zero": True, "number": "{:.3g}".format}
    return [
        both("accuracy", number=lambda share: f"{100 * share:.3g}%"),
        both("loss", **plain),
        chart("rate", "Learning rate", "epoch", numbers, rate, **plain),
    ]


def _validation(plan: Plan, training: Training | None) -> dict[str, Any]:
    """The evaluation of the kept weights on the validation images."""
    if training is None or training.validation is None:
        return {"evaluation": None}
    images, trained = training.validation, training.trained
    shares = class_probabilities(trained.network, images, trained.preprocessing, trained.plan)
    evaluation = evaluate(shares, images.labels, trained.classes)
    probable = plan.loss == "cross-entropy"  # the softmax of other scores is not a probability
    return {
        "evaluation": evaluation,
        **confusions(evaluation),
        "side": images.images.shape[1],
        "mistakes": [
            {
                "src": image_uri(images.images[index], SIDE),
                "label": trained.classes[images.labels[index]],
                "predicted": trained.classes[shares[index].argmax()],
                "probability": float(shares[index].max()) if probable else None,
            }
            for index in mistakes(shares, images.labels)[:GALLERY].tolist()
        ],
    }
