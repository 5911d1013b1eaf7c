"""What is tried depends on the photos, and on no clock."""

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eyespot.features.backbone import Backbone
from eyespot.features.extract import Features
from eyespot.review.review import review
from eyespot.tasks.classification.policy import (
    Candidate,
    affordable,
    candidates,
    is_alike,
    similarity,
)
from eyespot.tasks.classification.result import TeachResult
from eyespot.tasks.classification.teach import teach
from tests.pictures import patches, write_folder

NAMES = ("brick", "grass", "gravel")
WIDTHS = {"last layer": 1280, "stages": 7088}.__getitem__


def taught(network: Path, **options: Any) -> TeachResult:
    pictures = [patch for name in NAMES for patch in patches(name, 12, side=40)]
    names = [name for name in NAMES for _ in range(12)]
    return teach(pictures, names, backbone=str(network), use_cache=False, **options)


def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if between any two looks at the clock a quarter of an hour went by."""
    clock = itertools.count(step=1000.0)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))


def test_a_busy_machine_gives_the_same_classifier(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = taught(network)
    busy(monkeypatch)
    loaded = taught(network)
    assert [trial.method for trial in loaded.candidates] == [
        trial.method for trial in idle.candidates
    ]
    assert len(loaded.candidates) == 5
    assert not loaded.omitted
    assert loaded.classifier.metrics == idle.classifier.metrics
    files = [tmp_path / "idle.eyespot", tmp_path / "loaded.eyespot"]
    for result, path in zip((idle, loaded), files, strict=True):
        result.classifier.save(path)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_busy_machine_finds_the_same_label_issues(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path, 8, ("brick", "grass"))
    idle = review(folder, backbone=str(network), use_cache=False)
    busy(monkeypatch)
    loaded = review(folder, backbone=str(network), use_cache=False)
    assert idle.check == loaded.check


def test_what_a_budget_cuts_off_is_said(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch)
    result = taught(network, budget=5)
    assert [trial.method for trial in result.candidates] == ["svm on last layer"]
    left = ["logistic on last layer", "svm on stages", "knn on last layer"]
    left.append("prototypes on last layer")
    assert [one.what for one in result.omitted] == left
    assert f"Not evaluated: {', '.join(left)} (the budget of 5 s was spent)." in result.reason
    assert result.to_dict()["omitted"] == [
        {"what": what, "why": "the budget of 5 s was spent"} for what in left
    ]


def names(photos: int, classes: int, folds: int) -> list[str]:
    order = candidates("auto", 250, 0.3)
    return [one.name for one in affordable(order, WIDTHS, photos, classes, folds)]


def test_ordinary_collections_get_all_candidates() -> None:
    everything = [one.name for one in candidates("auto", 250, 0.3)]
    assert names(40, 2, 25) == everything
    assert names(1_387, 6, 5) == everything
    assert names(4_000, 50, 5) == everything


def test_large_collections_get_the_first_and_the_quick_ones() -> None:
    assert names(20_000, 1_000, 5) == [
        "svm on stages",
        "knn on last layer",
        "prototypes on last layer",
    ]
    assert names(1_000_000, 1_000, 1) == ["svm on stages", "prototypes on last layer"]


def test_a_basis_that_is_there_already_costs_nothing_more() -> None:
    """Its cost is that of 60,000 photos, whatever their classes."""
    shared = [Candidate("svm", "stages"), Candidate("logistic", "stages")]
    alone = [Candidate("knn", "last layer"), Candidate("logistic", "stages")]
    assert affordable(shared, WIDTHS, 60_000, 2, 1) == shared
    assert affordable(alone, WIDTHS, 60_000, 2, 1) == alone[:1]


def test_only_a_head_of_imagenet_tells_how_similar_photos_are(backbone: Backbone) -> None:
    """The network of a few own classes is sure of anything."""
    features = Features(
        ("a",), ("0",), np.ones((1, 1), np.float16), {"imagenet.confidence": slice(0, 1)},
        np.zeros(1, np.uint64), (b"",),
    )  # fmt: skip
    assert backbone.own
    assert similarity(features, backbone) is None
    assert is_alike(None)


def test_nothing_is_said_of_similarity_to_an_own_network(network: Path) -> None:
    reason = taught(network, budget=0).reason
    assert "similar" not in reason
    assert "ImageNet" not in reason
    assert reason.startswith("Median: 12 photos per class to train on. Method: linear SVM on the")
