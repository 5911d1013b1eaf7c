"""The page of a training run: its curves while it goes on, and in the end what came of it."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.atomic import write_atomically
from eyespot.evaluation import evaluate, mistakes, wilson_interval
from eyespot.report.chart import Chart, Kind, chart
from eyespot.report.confusions import confusions
from eyespot.report.html import data_uri, fill
from eyespot.tasks.classification.train import Training
from eyespot.training.effect import in_effect
from eyespot.training.judged import answers
from eyespot.training.plan import Plan
from eyespot.training.records import Epoch, best_of, ending

Values = Sequence[float | None]

GALLERY = 24
SIDE = 160
"""Longest side of a picture on the page, in pixels."""


def write_training(
    path: Path,
    plan: Plan,
    epochs: Sequence[Epoch],
    training: Training | None = None,
    more: Mapping[str, float] | None = None,
) -> None:
    """Write the page to `path`, atomically. Raises OSError as writing does."""
    # A file name in an old encoding has characters that UTF-8 cannot hold; they become "?".
    write_atomically(path, render(plan, epochs, training, more).encode("utf-8", "replace"))


def render(
    plan: Plan,
    epochs: Sequence[Epoch],
    training: Training | None = None,
    more: Mapping[str, float] | None = None,
) -> str:
    """The page as HTML. `epochs`: at least one. `training`: what came of it, None before it is
    over. `more`: settings beside the plan's, by name."""
    best = best_of(epochs)
    kept = best or epochs[-1]
    results = _results(kept, training)
    droppable = plan.dropout is not None  # of the network's own dropout the end tells
    settings = (
        training.settings
        if training
        else in_effect(plan, validated=best is not None, droppable=droppable)
    )
    settings = {**settings, **{name: value for name, value in (more or {}).items() if value}}
    if "dropout" in settings and settings["dropout"] is None:
        settings["dropout"] = "the network's own"
    unused = [name for name in plan.to_dict() if name not in (*settings, "model")]
    return fill(
        "training.html",
        plan=plan,
        epochs=epochs,
        best=best,
        kept=kept,
        results=results,
        over=training is not None,
        charts=_charts(epochs, best),
        interval=lambda epoch: wilson_interval(
            epoch.val_accuracy * epoch.val_pictures, epoch.val_pictures
        ),
        settings=[(_words(name), value) for name, value in settings.items()],
        unused=[_words(name) for name in unused],
        ending=ending(epochs, plan.epochs) if training or epochs[-1].stopped_early else "",
        skipped=training.skipped if training else (),
        learnt=training.train_photos if training else epochs[-1].pictures,
        **_validation(plan, training),
    )


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _results(kept: Epoch, training: Training | None) -> list[dict[str, Any]]:
    """How often the kept network is right; the most telling last."""
    results: list[tuple[str, float, float, int]] = []
    if kept.val_accuracy is not None and kept.val_loss is not None:
        results.append(("validation", kept.val_accuracy, kept.val_loss, kept.val_pictures))
    if training and training.test:
        results.append(("test", training.test[1], training.test[0], training.tested))
    return [
        {
            "of": of,
            "accuracy": accuracy,
            "interval": wilson_interval(accuracy * count, count),
            "loss": loss,
            "count": count,
        }
        for of, accuracy, loss, count in results
    ]


def _charts(epochs: Sequence[Epoch], best: Epoch | None) -> list[Chart]:
    numbers = [epoch.epoch for epoch in epochs]
    mark = best.epoch if best else None

    def both(name: str, title: str, seen: Values, unseen: Values, **options: Any) -> Chart:
        lines: dict[tuple[str, Kind], Values] = {
            ("training, as seen", "seen"): seen,
            ("validation", "unseen"): unseen,
        }
        marked = f"best: epoch {mark}"
        return chart(name, title, "epoch", numbers, lines, mark=mark, marked=marked, **options)

    return [
        both(
            "accuracy",
            "Right, by epoch",
            [epoch.accuracy for epoch in epochs],
            [epoch.val_accuracy for epoch in epochs],
            number=lambda share: f"{100 * share:.3g}%",
        ),
        both(
            "loss",
            "Loss, by epoch",
            [epoch.loss for epoch in epochs],
            [epoch.val_loss for epoch in epochs],
            from_zero=True,
            number="{:.3g}".format,
        ),
        chart(
            "rate",
            "Learning rate at the end of each epoch",
            "epoch",
            numbers,
            {("learning rate", "unseen"): [epoch.learning_rate for epoch in epochs]},
            from_zero=True,
            number="{:.3g}".format,
        ),
    ]


def _validation(plan: Plan, training: Training | None) -> dict[str, Any]:
    """What the kept network takes for what, of the pictures that validated."""
    if training is None or training.validation is None:
        return {"evaluation": None}
    pictures, trained = training.validation, training.trained
    said = answers(trained.network, pictures, trained.preprocessing, trained.plan)
    evaluation = evaluate(said, pictures.labels, trained.classes)
    sure = plan.loss == "cross-entropy"  # of the others' scores the softmax is no probability
    return {
        "evaluation": evaluation,
        **confusions(evaluation),
        "side": pictures.images.shape[1],
        "mistakes": [
            {
                "src": _picture(pictures.images[index]),
                "label": trained.classes[pictures.labels[index]],
                "said": trained.classes[said[index].argmax()],
                "probability": float(said[index].max()) if sure else None,
            }
            for index in mistakes(said, pictures.labels)[:GALLERY].tolist()
        ],
    }


def _picture(pixels: NDArray[np.uint8]) -> str:
    """uint8 [S, S, 1 or 3] as the address of a picture."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    small = BytesIO()
    image.save(small, "JPEG", quality=85)
    return data_uri(small.getvalue())
