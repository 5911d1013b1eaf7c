"""How fast the networks of the zoo run on this machine, with the engine that photos get.

Measured with fresh random weights: speed does not depend on what a network has learnt, so the
networks whose weights are not here can be measured as well.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from eyespot.features.backbone import fresh_backbone
from eyespot.features.cache import cache_folder
from eyespot.features.engines import BATCH, open_engine
from eyespot.features.facts import keep, recall

SECONDS = 1.0
"""How long each of the two measurements of a network lasts, at least one run each."""
SPEEDS = "speeds"


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one network. `images_per_second`: many pictures on all cores. `latency`: seconds for one
    picture alone, the median. `engine`: what ran it."""

    engine: str
    images_per_second: float
    latency: float


def measure(name: str) -> Speed:
    """Run the registered network called `name` on this machine for two seconds, and keep what was
    measured. Pictures are already decoded and fitted. Raises UsageError for an unknown name."""
    backbone = fresh_backbone(name)
    side = backbone.preprocessing.size
    pictures = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), np.uint8)
    # Converted networks take up to 0.5 GB, and these are of no use afterwards.
    with tempfile.TemporaryDirectory(dir=cache_folder(), ignore_cleanup_errors=True) as folder:
        engine = open_engine(backbone, folder=Path(folder))
        latency = float(np.median(list(_timed(lambda: engine.run(pictures[:1])))))
        with ThreadPoolExecutor(engine.workers) as threads:

            def on_all_cores() -> None:
                list(threads.map(engine.run, [pictures] * engine.workers))

            seconds = float(np.median(list(_timed(on_all_cores))))
    speed = Speed(engine.name, BATCH * engine.workers / seconds, latency)
    keep(SPEEDS, recall(SPEEDS) | {name: asdict(speed)})
    return speed


def measured() -> dict[str, Speed]:
    """What was measured so far on this machine, by the network's name."""
    try:
        return {name: Speed(**speed) for name, speed in recall(SPEEDS).items()}
    except TypeError:  # written by another version
        return {}


def _timed(run: Callable[[], object]) -> Iterator[float]:
    """The seconds of each run, over and over for SECONDS; the first compiles and is left out."""
    run()
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        run()
        yield time.perf_counter() - start
