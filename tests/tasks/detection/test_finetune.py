"""Fine-tuning: the stages under the dense head learn with it, and belong to the detector's file."""

from pathlib import Path

import numpy as np
import pytest
import torch

import eyespot
from eyespot.features import own_weights
from eyespot.features.backbone import load_backbone, load_network
from eyespot.tasks.detection import finetune
from eyespot.tasks.detection.engine import detector_module
from eyespot.tasks.detection.frame import frame_of
from eyespot.tasks.detection.method import TUNED_STEP, Plan
from eyespot.tasks.detection.options import TeachOptions
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.teach import teach
from tests.tasks.detection.shapes import shapes, split, write_voc


@pytest.fixture(scope="module")
def tuned(small: None, session_cache: object) -> DetectionTeachResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finetune, "plan_for", lambda photos: Plan(16, 60, batch=2, tuned=20))
        return teach(split(shapes(18), 6), TeachOptions(method="finetune"))


def test_it_finds_shapes(tuned: DetectionTeachResult) -> None:
    assert tuned.detector.method == "finetune"
    assert tuned.evaluation.average_precision.ap50 > 0.6
    assert "fine-tuned maps of efficientnet_lite0" in repr(tuned.detector)


def test_stages_under_the_maps_are_trained_and_no_others(tuned: DetectionTeachResult) -> None:
    backbone = tuned.detector.backbone
    assert backbone.own
    before = load_network(load_backbone()).state_dict()
    after = load_network(backbone).state_dict()
    changed = {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"stage3", "stage4", "stage5", "stage6", "stage7"}
    statistics = [name for name in before if "running" in name]
    assert statistics
    assert all(torch.equal(before[name], after[name]) for name in statistics)


def test_the_engine_computes_as_torch_does(tuned: DetectionTeachResult) -> None:
    detector = tuned.detector
    (photo,) = shapes(1, seed=3)
    frame = frame_of(photo.photo.read())
    with torch.inference_mode():
        expected = detector_module(detector)(torch.from_numpy(frame.pixels.copy()[None]))
    for found, values in zip(detector.engine.run(frame.pixels), expected, strict=True):
        exact = values[0].numpy()
        np.testing.assert_allclose(found, exact, atol=0.05 * np.abs(exact).max())


def test_its_file_gives_the_same_boxes_on_another_machine(
    tuned: DetectionTeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shapes.eyespot"
    tuned.save(path)
    (photo,) = shapes(1, seed=9)
    expected = tuned.detector.predict(photo.photo)
    assert expected.boxes
    monkeypatch.setattr(own_weights, "_kept", {})  # and the cache of each test is empty
    assert eyespot.load(path).predict(photo.photo) == expected


@pytest.mark.usefixtures("small")
def test_progress_counts_all_of_the_work(
    session_cache: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(16, 4, batch=2, tuned=2)
    monkeypatch.setattr(finetune, "plan_for", lambda photos: plan)
    told: list[tuple[str, int, int]] = []
    teach(
        split(shapes(6), 2),
        TeachOptions(method="finetune", progress=lambda *step: told.append(step)),
    )
    training = [(done, total) for stage, done, total in told if stage == "Training"]
    assert training[-1] == (plan.work, plan.work)
    assert plan.work == 4 + 2 * TUNED_STEP


def test_it_is_exported_and_explained_with_its_own_backbone(
    tuned: DetectionTeachResult, tmp_path: Path
) -> None:
    photos = write_voc(tmp_path / "photos", shapes(3, seed=11))
    done = tuned.detector.export("onnx", tmp_path / "shapes.onnx", check_with=photos)
    assert done.agreement.same == done.agreement.photos == 3
    assert done.agreement.boxes > 0
    explanation = tuned.detector.explain(photos / "0.png", box=1)
    assert explanation.steps.positions.max() > 0.3
    assert explanation.evidence[0].box == tuned.detector.predict(photos / "0.png").boxes[0]
