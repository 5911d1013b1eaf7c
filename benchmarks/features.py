"""Photos from disk to features, against timm, torch in bfloat16 and ONNX Runtime.

All run the same weights on the same photos, in turn, each with the network loaded beforehand.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import keep, peer, photos, summary

from eyespot.data.decode import decode
from eyespot.data.open import open_photos
from eyespot.data.photos import Photo
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.engines import BATCH, Engine, open_engine
from eyespot.features.extract import embed
from eyespot.tasks.task import load

PEER_KINDS = ("eager", "bf16", "onnx")


def rate(count: int, work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def ceiling(pictures: list[Photo], backbone: Backbone, engine: Engine) -> tuple[float, float]:
    """Photos per second of decoding alone and of inference alone, each on all cores."""
    preprocessing = backbone.preprocessing
    short_side = needed_short_side(preprocessing)

    def decoded(photo: Photo) -> np.ndarray:
        return prepare(decode(photo.read(), short_side=short_side).pixels, preprocessing)

    with ThreadPoolExecutor(engine.workers) as pool:
        pixels: list[np.ndarray] = []
        decoding = rate(len(pictures), lambda: pixels.extend(pool.map(decoded, pictures)))
        full = len(pixels) // BATCH * BATCH
        batches = [np.stack(pixels[i : i + BATCH]) for i in range(0, full, BATCH)]
        inference = rate(full, lambda: list(pool.map(engine.run, batches)))
    return decoding, inference


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True, help="Python of the peers' environment")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    os.environ["EYESPOT_CACHE"] = tempfile.mkdtemp()
    folder = photos("trash")
    backbone = load_backbone()
    engine = open_engine(backbone)
    pictures = list(open_photos(folder).photos)[::2]
    embed(pictures[: 4 * BATCH], backbone, engine)
    weights = Path(tempfile.mkdtemp()) / "weights.safetensors"
    save_weights(weights)

    robot = load("efficientnet_lite0")
    camera = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    robot.predict(camera)

    found: dict[str, list[float]] = {}
    for _ in range(options.runs):
        decoding, inference = ceiling(pictures, backbone, engine)
        ours = rate(len(pictures), lambda: embed(pictures, backbone, engine))
        found.setdefault("eyespot", []).append(ours)
        found.setdefault("share of ceiling", []).append(ours * (1 / decoding + 1 / inference))
        for kind in PEER_KINDS:
            _, theirs = peer(options.peer, "features.py", kind, folder, weights)
            found.setdefault(kind, []).append(theirs["photos_per_second"])
            found.setdefault(f"eyespot / {kind}", []).append(ours / theirs["photos_per_second"])
        frames = [1000 / rate(1, partial(robot.predict, camera)) for _ in range(100)]
        found.setdefault("frame in memory to top 5, ms", []).append(float(np.median(frames)))
    keep("features", {"photos": len(pictures), **{k: summary(v) for k, v in found.items()}})


def save_weights(path: Path) -> None:
    """The network's arrays in order, for peers that call them by other names."""
    from safetensors.torch import save_file

    from eyespot.weights import zoo

    state = zoo.create("efficientnet_lite0", weights="imagenet").state_dict()
    save_file({f"{i:04}": array.contiguous() for i, array in enumerate(state.values())}, path)


if __name__ == "__main__":
    main()
