"""Every network of the zoo: eyespot's fastest engine here against eager torch in float32.

Eager torch runs torchvision's network where it has one, else ours; both with random weights on the
same pictures, in turn, one at a time and 32 at once on all cores. eyespot starts from uint8
pictures and standardises them, torch gets them ready made.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import keep, summary
from peers import networks  # noqa: F401  before torchvision
from torchvision import models as torchvision_models

from eyespot.features.backbone import fresh_backbone
from eyespot.features.engines import open_engine
from eyespot.weights import zoo

MANY = 32


def rate(count: int, work: Callable[[], Any]) -> float:
    """ImageSet per second: the median of at least three runs, and of half a second's."""
    work()
    seconds: list[float] = []
    while len(seconds) < 3 or sum(seconds) < 0.5:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return count / statistics.median(seconds)


def compare(name: str) -> dict[str, float]:
    """ImageSet per second of both, one at a time and many at once."""
    backbone = fresh_backbone(name)
    side = backbone.preprocessing.size
    pictures = np.random.default_rng(0).integers(0, 256, (MANY, side, side, 3), np.uint8)
    network = zoo.find(name)
    eager = (
        torchvision_models.get_model(name, weights=None) if network.published else zoo.create(name)
    ).eval()
    inputs = torch.rand(MANY, network.in_channels, side, side)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(backbone, folder=Path(folder))
        parts = np.array_split(pictures, engine.workers)
        with ThreadPoolExecutor(engine.workers) as pool, torch.inference_mode():
            found["one"] = rate(1, lambda: engine.run(pictures[:1]))
            found["one, eager"] = rate(1, lambda: eager(inputs[:1]))
            found["many"] = rate(MANY, lambda: list(pool.map(engine.run, parts)))
            found["many, eager"] = rate(MANY, lambda: eager(inputs))
    found["one, ratio"] = found["one"] / found["one, eager"]
    found["many, ratio"] = found["many"] / found["many, eager"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("names", nargs="*", default=list(zoo.NETWORKS))
    options = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {name: {} for name in options.names}
    for _ in range(options.runs):
        for name in options.names:
            for what, value in compare(name).items():
                found[name].setdefault(what, []).append(value)
    ratios = {
        what: summary([statistics.median(values[what]) for values in found.values()])
        for what in ("one, ratio", "many, ratio")
    }
    rows = {name: {what: summary(values) for what, values in found[name].items()} for name in found}
    keep("zoo", {"over the zoo": ratios, "networks": rows})


if __name__ == "__main__":
    main()
