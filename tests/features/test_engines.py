"""All engines compute the same features; torchvision-free, against the real weights."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.data.decode import decode
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.features.backbone import CONFIDENCE, LOGITS, Backbone, load_backbone
from eyespot.features.engines import OpenVinoEngine, TorchEngine, open_engine
from eyespot.tasks.task import load


def sample(shared_data: Path, count: int) -> tuple[list[Path], list[int]]:
    folder = shared_data / "imagenet-sample-200"
    with (folder / "labels.csv").open() as table:
        rows = list(csv.DictReader(table))
    rows = rows[:: max(1, len(rows) // count)]
    return [folder / row["file"] for row in rows], [int(row["class_index"]) for row in rows]


def pictures(paths: list[Path], backbone: Backbone) -> NDArray[np.uint8]:
    short_side = needed_short_side(backbone.preprocessing)
    return np.stack(
        [
            prepare(decode(p.read_bytes(), short_side=short_side).pixels, backbone.preprocessing)
            for p in paths
        ]
    )


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / lengths)


def test_engines_agree(shared_data: Path) -> None:
    backbone = load_backbone()
    paths, _ = sample(shared_data, 40)
    batch = pictures(paths, backbone)
    torch_features = TorchEngine(backbone, "fp32").run(batch)
    exact = OpenVinoEngine(backbone, "fp32")
    exact_features = exact.run(batch)
    assert cosine(torch_features, exact_features).min() > 0.999
    np.testing.assert_allclose(exact_features[:1], exact.run(batch[:1]), rtol=1e-3, atol=1e-3)
    judged = replace(backbone, blocks=(LOGITS,))
    sure = OpenVinoEngine(judged, "fp32").run(batch)
    fast = open_engine(judged).run(batch)
    assert (sure.argmax(axis=1) == fast.argmax(axis=1)).mean() > 0.97  # 40 photos: one may differ
    shares = np.exp(sure - sure.max(axis=1, keepdims=True))
    confidence = (shares / shares.sum(axis=1, keepdims=True)).max(axis=1)
    np.testing.assert_allclose(
        exact_features[:, exact.layout[CONFIDENCE]][:, 0], confidence, atol=1e-3
    )


@pytest.mark.slow
def test_bf16_answers_like_fp32_on_the_whole_sample(shared_data: Path) -> None:
    backbone = load("efficientnet_lite0").backbone
    paths, _ = sample(shared_data, 200)
    batch = pictures(paths, backbone)
    exact, quick = (OpenVinoEngine(backbone, precision) for precision in ("fp32", "bf16"))
    logits = [engine.run(batch) for engine in (exact, quick)]
    assert cosine(*logits).min() > 0.998
    first, second = (rows.argmax(axis=1) for rows in logits)
    assert (first == second).mean() > 0.99


def test_the_network_recognises_imagenet(shared_data: Path) -> None:
    classifier = load("efficientnet_lite0")
    paths, labels = sample(shared_data, 40)
    hits = [
        classifier.predict(path).label == classifier.classes[label]
        for path, label in zip(paths, labels, strict=True)
    ]
    assert np.mean(hits) > 0.8
