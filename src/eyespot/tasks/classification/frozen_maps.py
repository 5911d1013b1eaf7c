"""Maps of the frozen stages of a network, for fine-tuning the others."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from eyespot.data.decode import decode
from eyespot.data.photos import Photo
from eyespot.data.transforms import Preprocessing, needed_short_side, prepare
from eyespot.features.backbone import Backbone
from eyespot.features.engines import open_engine
from eyespot.features.usable import expect_usable
from eyespot.models.convnet import ConvNet
from eyespot.training.images import allocate

VIEWS, LEAST_PART = 4, 0.75
"""Of each photo: the whole, and random parts of it, at least this share as high and wide."""


class OutOfTime(Exception):
    """Fine-tuning takes longer than the budget. `seconds`: the estimated time that it still needs;
    0 if unknown."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def frozen_maps(
    photos: Sequence[Photo],
    backbone: Backbone,
    network: ConvNet,
    stage: str,
    end: float,
    step: Callable[[int], None],
) -> NDArray[np.float16]:
    """Maps of `stage` for each view of each photo: float16 [VIEWS, n, C, h, w].

    `end`: the time (time.perf_counter) by which all must be computed. Raises OutOfTime.
    """
    preprocessing = backbone.preprocessing
    side, short_side = preprocessing.size, needed_short_side(preprocessing)
    with torch.inference_mode():
        found = network.forward_features(torch.zeros(1, network.in_channels, side, side))
    shape = found[stage].shape[1:]
    maps = allocate((VIEWS, len(photos), *shape), np.float16)
    engine = open_engine(replace(backbone, blocks=(f"{stage}.map",)))
    larger = math.ceil(short_side / LEAST_PART)  # for parts in full resolution

    start = time.perf_counter()

    def compute(index: int) -> None:
        now = time.perf_counter()
        if now > end:  # the remaining maps, and as long again for training
            raise OutOfTime((now - start) * (2 * len(photos) / max(index, 1) - 1) if index else 0.0)
        data = photos[index].read()
        first = prepare(decode(data, short_side=short_side).pixels, preprocessing)
        parts = _parts(decode(data, short_side=larger).pixels, preprocessing, index)
        views = expect_usable(engine.run(np.stack([first, *parts])), backbone.name)
        maps[:, index] = views.reshape(VIEWS, *shape)

    with ThreadPoolExecutor(engine.workers) as pool:
        for _ in pool.map(compute, range(len(photos))):
            step(1)
    return maps


def _parts(
    pixels: NDArray[np.uint8], preprocessing: Preprocessing, seed: int
) -> list[NDArray[np.uint8]]:
    """VIEWS - 1 parts of a photo, darker or brighter: uint8 [S, S, 3]. No part is mirrored: a
    mirrored letter or hand may be of another class."""
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    parts = []
    for _ in range(VIEWS - 1):
        size = rng.uniform(LEAST_PART, 1, 2) * (height, width)
        high, wide = size.round().astype(int).clip(min=1)
        top, left = rng.integers(height - high + 1), rng.integers(width - wide + 1)
        part = prepare(pixels[top : top + high, left : left + wide], preprocessing)
        light = part * rng.uniform(0.8, 1.2) + rng.uniform(-20, 20)
        parts.append(light.clip(0, 255).astype(np.uint8))
    return parts
