"""Evaluate a network on ImageNet: top-1 and top-5 error, as its challenge defines them.

An image is a top-5 error if its class is not among the five most probable ones (Russakovsky et al.
2015, section 4.1).
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from eyespot import __version__
from eyespot.data.photos import Skipped
from eyespot.data.transforms import PIXELS
from eyespot.errors import DatasetError, UsageError
from eyespot.evaluation.intervals import wilson_interval
from eyespot.features.backbone import DEFAULT, Backbone, imagenet_backbone
from eyespot.features.engines import BATCH, Engine, open_engine
from eyespot.imagenet_eval.images import LabelledImage, find_images
from eyespot.imagenet_eval.journal import Answer, Journal
from eyespot.imagenet_eval.predict import predict_batches
from eyespot.imagenet_eval.views import Views
from eyespot.weights import zoo
from eyespot.weights.find import find_weights
from eyespot.weights.imagenet_names import imagenet_classes

Progress = Callable[[int, int], None]
"""Called with (images done, images in all)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A misclassified image. `guesses`: (class, probability), most probable first."""

    image: LabelledImage
    guesses: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class ImagenetEvaluation:
    """Errors of a network, as shares of `count` images, with 95% confidence intervals.

    `failures`: the most confident first. `classes`: names by index. `asked`: images that this run
    predicted, in `seconds`; the other answers come from the `journal` of an earlier run.
    """

    network: zoo.Network
    views: Views
    engine: str
    count: int
    top1_error: float
    top1_interval: tuple[float, float]
    top5_error: float
    top5_interval: tuple[float, float]
    failures: tuple[Failure, ...]
    skipped: tuple[Skipped, ...]
    classes: tuple[str, ...]
    asked: int
    seconds: float
    journal: Path | None

    @property
    def images_per_second(self) -> float | None:
        """None if all answers come from an earlier run."""
        return self.asked / self.seconds if self.asked else None

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings and lists, for JSON."""
        published = self.network.errors
        return {
            "network": self.network.name,
            "count": self.count,
            "top1_error": self.top1_error,
            "top1_interval": list(self.top1_interval),
            "top5_error": self.top5_error,
            "top5_interval": list(self.top5_interval),
            "published": published and asdict(published),
            "crops": self.views.crops,
            "scales": list(self.views.short_sides),
            "engine": self.engine,
            "asked": self.asked,
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
            "journal": str(self.journal) if self.journal else None,
            "skipped": [asdict(image) for image in self.skipped],
            "failures": [
                {
                    "path": failure.image.name,
                    "label": self.classes[failure.image.truth],
                    "guesses": [
                        {"label": self.classes[index], "probability": probability}
                        for index, probability in failure.guesses
                    ],
                }
                for failure in self.failures
            ],
        }


def evaluate_imagenet(
    source: str | Path,
    network: str = DEFAULT,
    *,
    crops: int = 1,
    scales: Sequence[int] = (),
    progress: Progress = lambda done, total: None,
) -> ImagenetEvaluation:
    """Evaluate the zoo's `network` on the labelled images of `source` (see `find_images`).

    `crops`, `scales`: see `Views`. An interrupted run is resumed. Raises UsageError for a network
    without ImageNet's classes, for invalid views, and without a labelled image; WeightsError if the
    network's weights are missing; DatasetError if no image can be read.
    """
    entry, classes = _imagenet_network(network)
    backbone = imagenet_backbone(network)
    views = Views(backbone.preprocessing, crops, tuple(scales))
    images, skipped = find_images(source)
    engine = open_engine(backbone)
    journal = Journal(_key(backbone, engine, views, images))
    start = time.perf_counter()
    answers, asked = _answer_all(images, views, engine, journal, progress)
    seconds = time.perf_counter() - start
    failures, top1, top5 = [], [], []
    for image, answer in zip(images, answers, strict=True):
        if answer.error:
            skipped.append(Skipped(image.name, answer.error))
            continue
        guessed = [index for index, _ in answer.guesses]
        top1.append(image.truth == guessed[0])
        top5.append(image.truth in guessed)
        if not top1[-1]:
            failures.append(Failure(image, answer.guesses))
    count = len(top1)
    if not count:
        raise DatasetError(
            f"None of the {len(images)} labelled images can be read. "
            f"The last, {skipped[-1].path}: {skipped[-1].reason}."
        )
    wrong1, wrong5 = count - sum(top1), count - sum(top5)
    return ImagenetEvaluation(
        network=entry,
        views=views,
        engine=engine.name,
        count=count,
        top1_error=wrong1 / count,
        top1_interval=wilson_interval(wrong1, count),
        top5_error=wrong5 / count,
        top5_interval=wilson_interval(wrong5, count),
        failures=tuple(sorted(failures, key=lambda failure: -failure.guesses[0][1])),
        skipped=tuple(skipped),
        classes=classes,
        asked=asked,
        seconds=seconds,
        journal=journal.path,
    )


def _imagenet_network(name: str) -> tuple[zoo.Network, tuple[str, ...]]:
    """The network and its classes. Raises UsageError if these are not ImageNet's."""
    entry = zoo.find(name)
    if entry.dataset != "ImageNet":
        raise UsageError(
            f"{name} was trained on {entry.dataset} and has none of ImageNet's classes. "
            f"Choose another network, such as {DEFAULT}."
        )
    classes = find_weights(entry).class_names()
    if classes != imagenet_classes():
        raise UsageError(
            f"The weights of {name} have {len(classes)} classes, which are not the 1,000 of "
            "ImageNet in their order. Choose another network."
        )
    return entry, classes


def _answer_all(
    images: Sequence[LabelledImage],
    views: Views,
    engine: Engine,
    journal: Journal,
    progress: Progress,
) -> tuple[list[Answer], int]:
    """An answer for each image, and how many this run predicted; the journal has the others."""
    size = ceil(BATCH / len(views))
    batches = {i: list(images[i : i + size]) for i in range(0, len(images), size)}
    answers = journal.read({number: len(batch) for number, batch in batches.items()})
    waiting = {number: batch for number, batch in batches.items() if number not in answers}
    asked = sum(map(len, waiting.values()))
    done = len(images) - asked
    progress(done, len(images))
    for number, new, lasting in predict_batches(waiting, views, engine):
        if lasting:
            journal.add(number, new)
        answers[number] = new
        done += len(new)
        progress(done, len(images))
    return [answer for number in batches for answer in answers[number]], asked


def _key(backbone: Backbone, engine: Engine, views: Views, images: Sequence[LabelledImage]) -> str:
    """Digest of all that the answers depend on: code, network, engine, views and images."""
    known = (__version__, PIXELS, BATCH, backbone.name, backbone.sha256, engine.name)
    digest = hashlib.sha256(json.dumps([*known, astuple(views)]).encode())
    for image in images:
        digest.update(json.dumps([image.name, image.size, image.modified]).encode())
    return digest.hexdigest()[:32]
