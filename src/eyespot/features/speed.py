"""Speed of the zoo's networks on this machine, with the engine that embeds photos.

Measured with random weights, so that networks without weights on this machine have a speed too.
The speeds are kept as JSON in the cache folder.
"""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from eyespot.atomic import write_atomically
from eyespot.errors import CacheError
from eyespot.features.backbone import fresh_backbone
from eyespot.features.cache_folder import cache_folder
from eyespot.features.engines import BATCH, open_engine

SECONDS = 1.0
"""Duration of each of the two measurements of a network; at least one run each."""
FILE = "speeds.json"


@dataclass(frozen=True, slots=True)
class Speed:
    """Speed of one network. `images_per_second`: batches on all cores. `latency`: median seconds
    for one image alone. `engine`: the engine that ran the network."""

    engine: str
    images_per_second: float
    latency: float


def measure(name: str) -> Speed:
    """Run the network called `name` on this machine for two seconds, and keep its speed.

    Images are already decoded and resized. Raises UsageError for an unknown name.
    """
    backbone = fresh_backbone(name)
    side = backbone.preprocessing.size
    images = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), np.uint8)
    # Converted networks take up to 0.5 GB, and these are of no use afterwards.
    with tempfile.TemporaryDirectory(dir=cache_folder(), ignore_cleanup_errors=True) as folder:
        engine = open_engine(backbone, folder=Path(folder))
        latency = float(np.median(list(_timed(lambda: engine.run(images[:1])))))
        with ThreadPoolExecutor(engine.workers) as threads:

            def on_all_cores() -> None:
                list(threads.map(engine.run, [images] * engine.workers))

            seconds = float(np.median(list(_timed(on_all_cores))))
    speed = Speed(engine.name, BATCH * engine.workers / seconds, latency)
    _keep(measured() | {name: speed})
    return speed


def measured() -> dict[str, Speed]:
    """All speeds measured so far on this machine, by the network's name."""
    try:
        kept = json.loads((cache_folder() / FILE).read_text("utf-8"))
        return {name: Speed(**speed) for name, speed in kept.items()}
    except (OSError, ValueError, CacheError, AttributeError, TypeError):  # none, or damaged
        return {}


def _keep(speeds: dict[str, Speed]) -> None:
    content = json.dumps({name: asdict(speed) for name, speed in speeds.items()})
    with contextlib.suppress(OSError, CacheError):
        write_atomically(cache_folder() / FILE, content.encode())


def _timed(run: Callable[[], object]) -> Iterator[float]:
    """The seconds of each run during SECONDS; the first run compiles and is left out."""
    run()
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        run()
        yield time.perf_counter() - start
