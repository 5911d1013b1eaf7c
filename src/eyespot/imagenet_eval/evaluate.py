"""Judge a network on labelled pictures: top-1 and top-5 error, as the ImageNet challenge does.

A picture is an error at five guesses if its class is not among the five most probable ones
(Russakovsky et al. 2015, section 4.1).
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot import __version__
from eyespot.data.decode import decode
from eyespot.data.photos import Skipped
from eyespot.data.transforms import PIXELS
from eyespot.errors import DatasetError, PhotoError, UsageError
from eyespot.evaluation.intervals import wilson_interval
from eyespot.features.backbone import DEFAULT, judged_backbone
from eyespot.features.engines import BATCH, Engine, open_engine
from eyespot.features.usable import expect_usable
from eyespot.heads.calibration import softmax
from eyespot.imagenet_eval.journal import GUESSES, Answer, Journal
from eyespot.imagenet_eval.labels import Labelled
from eyespot.imagenet_eval.validation import find_pictures
from eyespot.imagenet_eval.views import Views
from eyespot.weights import zoo
from eyespot.weights.find import find_weights
from eyespot.weights.imagenet_names import imagenet_classes

Progress = Callable[[int, int], None]
"""Called with (pictures done, pictures in all)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture whose first guess is wrong. `guesses`: (class, probability), best first."""

    picture: Labelled
    guesses: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Judgement:
    """How often a network is wrong; errors are shares of `count` pictures, intervals are 95 %.

    `failures`: the surest of themselves first. `classes`: names by index. `asked`: pictures that
    went through the network now, in `seconds`; the others were answered in an earlier run, whose
    answers are in `journal`.
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
    def pictures_per_second(self) -> float | None:
        """None if nothing was asked now."""
        return self.asked / self.seconds if self.asked else None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON."""
        published = self.network.errors
        return {
            "network": self.network.name,
            "count": self.count,
            "top1_error": self.top1_error,
            "top1_interval": list(self.top1_interval),
            "top5_error": self.top5_error,
            "top5_interval": list(self.top5_interval),
            "published": published
            and {"top1": published.top1, "top5": published.top5, "source": published.source},
            "crops": self.views.crops,
            "scales": list(self.views.short_sides),
            "engine": self.engine,
            "asked": self.asked,
            "seconds": self.seconds,
            "pictures_per_second": self.pictures_per_second,
            "journal": str(self.journal) if self.journal else None,
            "skipped": [{"path": s.path, "reason": s.reason} for s in self.skipped],
            "failures": [
                {
                    "path": failure.picture.name,
                    "label": self.classes[failure.picture.truth],
                    "guesses": [
                        {"label": self.classes[index], "probability": probability}
                        for index, probability in failure.guesses
                    ],
                }
                for failure in self.failures
            ],
        }


def judge(
    source: str | Path,
    network: str = DEFAULT,
    *,
    crops: int = 1,
    scales: Sequence[int] = (),
    progress: Progress = lambda done, total: None,
) -> Judgement:
    """Ask the registered `network` what the pictures of `source` show (see `find_pictures`).

    `crops`, `scales`: see `Views`. A run that was stopped goes on where it was. Raises UsageError
    for what is no network of ImageNet's, no such view, or no labelled picture; WeightsError if the
    network's weights are not installed; DatasetError if no picture can be read.
    """
    entry = zoo.find(network)
    if entry.dataset != "ImageNet":
        raise UsageError(
            f"{network} was made for {entry.dataset} and knows no class of ImageNet. "
            f"Name another network, such as {DEFAULT}."
        )
    backbone = judged_backbone(network)
    classes = find_weights(entry).class_names()
    if classes != imagenet_classes():
        raise UsageError(
            f"The weights of {network} know {len(classes)} classes, which are not the 1000 of "
            "ImageNet in their order. Name another network."
        )
    views = Views(backbone.preprocessing, crops, tuple(scales))
    pictures, skipped = find_pictures(source)
    engine = open_engine(backbone)
    size = ceil(BATCH / len(views))
    batches = dict(enumerate(pictures[i : i + size] for i in range(0, len(pictures), size)))
    known = (
        __version__,
        PIXELS,
        BATCH,
        backbone.name,
        backbone.sha256,
        engine.name,
        astuple(views),
    )
    journal = Journal(_key(known, pictures))
    answers = journal.read({number: len(batch) for number, batch in batches.items()})
    waiting = {number: batch for number, batch in batches.items() if number not in answers}
    asked = sum(map(len, waiting.values()))
    done = len(pictures) - asked
    progress(done, len(pictures))
    start = time.perf_counter()
    for number, new, lasting in _ask(waiting, views, engine):
        if lasting:
            journal.add(number, new)
        answers[number] = new
        done += len(new)
        progress(done, len(pictures))
    seconds = time.perf_counter() - start
    in_order = (answer for number in batches for answer in answers[number])
    failures, right = [], []
    for picture, answer in zip(pictures, in_order, strict=True):
        if answer.error:
            skipped.append(Skipped(picture.name, answer.error))
            continue
        guessed = [index for index, _ in answer.guesses]
        right.append((picture.truth == guessed[0], picture.truth in guessed))
        if picture.truth != guessed[0]:
            failures.append(Failure(picture, answer.guesses))
    if not right:
        raise DatasetError(
            f"None of the {len(pictures)} labelled pictures can be read. "
            f"The last, {skipped[-1].path}: {skipped[-1].reason}."
        )
    count = len(right)
    wrong1, wrong5 = (count - sum(column) for column in zip(*right, strict=True))
    return Judgement(
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


def _key(known: tuple[object, ...], pictures: Sequence[Labelled]) -> str:
    """Of all that the answers depend on: the network, how it is asked, and what it is shown."""
    digest = hashlib.sha256(json.dumps(known).encode())
    for picture in pictures:
        digest.update(json.dumps([picture.name, picture.size, picture.modified]).encode())
    return digest.hexdigest()[:32]


def _ask(
    batches: dict[int, list[Labelled]], views: Views, engine: Engine
) -> Iterator[tuple[int, list[Answer], bool]]:
    """The answers to each batch, and whether they will be the same when it is asked again.

    Worker threads take a batch each through all steps, as in features/extract.py.
    """
    running: deque[tuple[int, Future[tuple[list[Answer], bool]]]] = deque()
    waiting = iter(batches.items())
    with ThreadPoolExecutor(engine.workers, thread_name_prefix="eyespot") as pool:
        try:
            while True:
                while len(running) < 2 * engine.workers and (item := next(waiting, None)):
                    running.append((item[0], pool.submit(_answer, item[1], views, engine)))
                if not running:
                    return
                number, future = running.popleft()
                yield (number, *future.result())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _answer(batch: list[Labelled], views: Views, engine: Engine) -> tuple[list[Answer], bool]:
    short_side = max(views.short_sides)
    answers: list[Answer | None] = []
    ready = []
    lasting = True
    for picture in batch:
        try:
            data = picture.source.read()
        except PhotoError as error:  # it may be there the next time
            answers.append(Answer(error=str(error)))
            lasting = False
            continue
        try:
            ready.append(views.of(decode(data, short_side=short_side).pixels))
            answers.append(None)
        except PhotoError as error:
            answers.append(Answer(error=str(error)))
    said = iter(_guesses(np.concatenate(ready), views, engine) if ready else ())
    return [answer or next(said) for answer in answers], lasting


def _guesses(pictures: NDArray[np.uint8], views: Views, engine: Engine) -> Iterator[Answer]:
    """The answers to n pictures from all views of them, uint8 [n * len(views), S, S, 3]."""
    probabilities = softmax(expect_usable(engine.run(pictures), "The network"))
    means = probabilities.reshape(-1, len(views), probabilities.shape[1]).mean(axis=1)
    for row in means:
        best = np.argsort(-row, kind="stable")[:GUESSES]  # among equals the first class wins
        yield Answer(tuple((int(i), round(float(row[i]), 6)) for i in best))
