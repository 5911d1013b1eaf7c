"""Predict the five most probable classes of images, from the mean over all views of each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from eyespot.arrays import U8
from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.features.engines import Engine
from eyespot.features.usable import expect_usable
from eyespot.heads.calibration import softmax
from eyespot.imagenet_eval.images import LabelledImage
from eyespot.imagenet_eval.journal import GUESSES, Answer
from eyespot.imagenet_eval.views import Views


def predict_batches(
    batches: dict[int, list[LabelledImage]], views: Views, engine: Engine
) -> Iterator[tuple[int, list[Answer], bool]]:
    """The answers of each batch, and whether a later run would get the same.

    Worker threads take a batch each through all steps, as in features/extract.py.
    """
    with ThreadPoolExecutor(engine.workers, thread_name_prefix="eyespot") as pool:
        try:
            predict = partial(_predict, views=views, engine=engine)
            for number, found in zip(batches, pool.map(predict, batches.values()), strict=True):
                yield (number, *found)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _predict(batch: list[LabelledImage], views: Views, engine: Engine) -> tuple[list[Answer], bool]:
    short_side = max(views.short_sides)
    answers: list[Answer | None] = []
    pixels = []
    lasting = True
    for image in batch:
        try:
            data = image.source.read()
        except PhotoError as error:  # a later run may be able to read it
            answers.append(Answer(error=str(error)))
            lasting = False
            continue
        try:
            pixels.append(views.of(decode(data, short_side=short_side).pixels))
            answers.append(None)
        except PhotoError as error:
            answers.append(Answer(error=str(error)))
    found = iter(top_five(np.concatenate(pixels), views, engine) if pixels else ())
    return [answer or next(found) for answer in answers], lasting


def top_five(pixels: U8, views: Views, engine: Engine) -> Iterator[Answer]:
    """The answer for each of n images from its views, uint8 [n * len(views), S, S, 3]."""
    probabilities = softmax(expect_usable(engine.run(pixels), "The network"))
    means = probabilities.reshape(-1, len(views), probabilities.shape[1]).mean(axis=1)
    for row in means:
        best = np.argsort(-row, kind="stable")[:GUESSES]  # among equals the first class wins
        yield Answer(tuple((int(i), round(float(row[i]), 6)) for i in best))
