"""The steps of Fast R-CNN: the values that the picture shows are those of the head."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.explain.fast_rcnn_steps import FastRCNNSteps, fast_rcnn_steps
from eyespot.models.roi import roi_align
from eyespot.tasks.detection.engine import detector_module
from eyespot.tasks.detection.fast_rcnn_head import FastRCNNHead
from eyespot.tasks.detection.frame import frame_of
from eyespot.tasks.detection.result import DetectionTeachResult
from tests.tasks.detection.shapes import shapes

pytestmark = pytest.mark.usefixtures("small")


def test_the_steps_are_those_of_the_head(taught_rcnn: DetectionTeachResult) -> None:
    detector = taught_rcnn.detector
    frame = frame_of(shapes(1, seed=11)[0].photo.read())
    box = detector.predict_frame("photo", frame).boxes[-1]
    steps = fast_rcnn_steps(detector, frame, box)
    module = detector_module(detector)
    head = module.get_submodule("head")
    assert isinstance(head, FastRCNNHead)
    with torch.inference_mode():
        maps = module.get_submodule("maps")(torch.from_numpy(frame.pixels[None].copy()))
        trunk = head.trunk(maps)
        (rois,) = head.propose(trunk)
        logits, boxes = head(maps)
    count, roi = len(steps.proposals), steps.roi
    assert roi is not None
    np.testing.assert_array_equal(steps.proposals, frame.to_photo(rois[:count].numpy()))
    assert not rois[count:].any()
    assert (np.diff(steps.objectness) <= 0).all()
    pooled = roi_align(trunk, rois[roi : roi + 1], stride=8, size=7)[0]
    np.testing.assert_allclose(steps.pooled, pooled, rtol=1e-5)
    assert steps.scores.sum() == pytest.approx(1)
    np.testing.assert_allclose(steps.scores, logits[0, roi].softmax(0), rtol=1e-3)
    label = detector.classes.index(box.label)
    corrected = frame.to_photo(boxes[0, roi, label].numpy()[None])[0]
    np.testing.assert_allclose(corrected, [box.xmin, box.ymin, box.xmax, box.ymax], atol=0.5)


def test_the_verb(
    taught_rcnn: DetectionTeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    detector = taught_rcnn.detector
    detector.save(Path("shapes.eyespot"))
    photo = shapes(1, seed=11)[0].photo.read()
    assert isinstance(photo, np.ndarray)
    Image.fromarray(photo).save("photo.png")

    def explain(*options: str) -> str:
        done = CliRunner().invoke(app, ["explain", "photo.png", "-m", "shapes.eyespot", *options])
        assert done.exit_code == 0, done.output
        return done.output

    (found,) = json.loads(explain("--box", "1", "--json"))
    assert Path(found["image"]).stat().st_size > 1000
    assert (
        found["boxes"] == json.loads(json.dumps(detector.predict("photo.png").to_answer()))["boxes"]
    )
    assert len(found["proposals"]) == len(found["objectness"]) >= found["roi"] >= 1
    assert np.shape(found["pooled"])[1:] == (7, 7)
    assert [one["label"] for one in found["scores"]] == [None, *detector.classes]
    assert f"{len(found['proposals']):,} proposals, " in explain("--box", "1")


def test_a_photo_without_proposals_is_drawn(taught_rcnn: DetectionTeachResult) -> None:
    detector = taught_rcnn.detector
    found = detector.explain(np.full((128, 128, 3), 128, np.uint8))
    none = FastRCNNSteps(
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.float32),
        None,
        np.zeros((0, 7, 7), np.float32),
        np.zeros(0, np.float32),
        detector.classes,
    )
    object.__setattr__(found, "steps", none)
    assert found.draw().width > 0
    assert found.to_answer()["roi"] is None
