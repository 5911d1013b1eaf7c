"""From photos with boxes to a detector, its file, and its predictions."""

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import eyespot
from eyespot.data.boxes.dataset import BoxDataset
from eyespot.errors import ClassifierFileError, DatasetError, PhotoError
from eyespot.evaluation.boxes import iou
from eyespot.report import detection
from eyespot.tasks import file as task_file
from eyespot.tasks.detection import frame as frames
from eyespot.tasks.detection import manifest
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.engine import head_of
from eyespot.tasks.detection.evaluate import evaluate
from eyespot.tasks.detection.fit import fit_head
from eyespot.tasks.detection.frame import frame_of, input_size, mirrored
from eyespot.tasks.detection.method import Plan
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.split import split_photos
from eyespot.tasks.detection.teach import teach
from tests.tasks.detection.shapes import annotated, shapes
from tests.test_in_memory import in_child


def test_it_finds_shapes_that_it_has_not_seen(taught: DetectionTeachResult) -> None:
    assert taught.evaluated_on == "5-fold cross-validation"
    assert taught.evaluation.average_precision.ap50 > 0.8
    overlaps = []
    for photo in shapes(12, seed=7):
        found = taught.detector.predict(photo.photo)
        assert (found.width, found.height) == (128, 128)
        boxes = np.array([[b.xmin, b.ymin, b.xmax, b.ymax] for b in found.boxes], np.float32)
        overlaps += iou(photo.boxes, boxes.reshape(-1, 4)).max(1, initial=0).tolist()
    assert np.mean(np.array(overlaps) > 0.5) > 0.5
    again = evaluate(taught.detector, shapes(8, seed=8))
    assert again.evaluation.average_precision.ap50 > 0.7
    assert again.known == ()


def test_its_file_gives_the_same_boxes(taught: DetectionTeachResult, tmp_path: Path) -> None:
    path = tmp_path / "shapes.eyespot"
    taught.save(path)
    loaded = eyespot.load(path)
    assert isinstance(loaded, Detector)
    assert loaded.metrics == json.loads(json.dumps(taught.detector.metrics))
    (photo,) = shapes(1, seed=9)
    expected = taught.detector.predict(photo.photo)
    assert loaded.predict(photo.photo) == expected
    assert pickle.loads(pickle.dumps(loaded)).predict(photo.photo) == expected
    row = expected.to_row()
    assert type(expected).from_row(row) == expected


def test_it_detects_in_a_forked_child(taught: DetectionTeachResult) -> None:
    """Also after its parent has: the child has an OpenVINO of its own."""
    (photo,) = shapes(1, seed=9)
    expected = taught.detector.predict(photo.photo)
    assert in_child(lambda: taught.detector.predict(photo.photo) == expected) == "True"


def test_the_engine_computes_as_torch_does(taught: DetectionTeachResult) -> None:
    detector = taught.detector
    (photo,) = shapes(1, seed=3)
    frame = frame_of(photo.photo.read())
    logits, distances = detector.engine.run(frame.pixels)
    from eyespot.tasks.detection.engine import detector_module

    with torch.inference_mode():
        expected = detector_module(detector)(torch.from_numpy(frame.pixels.copy()[None]))
    np.testing.assert_allclose(logits, expected[0][0].numpy(), rtol=0.02, atol=0.05)
    np.testing.assert_allclose(distances, expected[1][0].numpy(), rtol=0.02, atol=0.5)


def test_damaged_files(taught: DetectionTeachResult, tmp_path: Path) -> None:
    values, arrays = manifest.write_manifest(taught.detector)
    path = tmp_path / "x.eyespot"
    changes: list[dict[str, Any]] = [
        {"classes": ["disc"]},
        {"classes": None},
        {"channels": [40, 112]},
        {"channels": [40, 112, 10**9]},
        {"width": 31},
        {"method": "fast-rcnn"},
        {"method": ["dense"]},
        {"metrics": []},
        {"backbone": {}},
    ]
    for change in changes:
        task_file.write(path, {**values, **change}, arrays, None, "")
        with pytest.raises(ClassifierFileError, match=r"x\.eyespot"):
            eyespot.load(path)
    weight = "head.classes.weight"
    for name, array in (
        (weight, arrays[weight][:1]),
        (weight, np.full_like(arrays[weight], np.nan)),
        ("thresholds", np.array([np.inf, 0.5])),
        ("calibration.slopes", np.array([0.0, 1.0])),
        ("trained_on", np.zeros(3, np.float32)),
    ):
        task_file.write(path, values, {**arrays, name: array}, None, "")
        with pytest.raises(ClassifierFileError, match="damaged"):
            eyespot.load(path)


@pytest.mark.usefixtures("small")
def test_photos_that_cannot_be_read_are_skipped(taught: DetectionTeachResult) -> None:
    noise = np.zeros((4, 4, 3), np.uint8)
    bad = annotated("bad.png", noise, [(0, 0, 4, 4)], ["disc"])
    bad = replace(bad, photo=replace(bad.photo, source=eyespot.data.photos.Unreadable("is gone")))
    found = list(taught.detector.predict_batch([bad.photo, shapes(1)[0].photo]))
    assert [one.error for one in found] == ["is gone", ""]
    with pytest.raises(PhotoError, match="is gone"):
        taught.detector.predict(bad.photo)
    result = evaluate(taught.detector, [bad, *shapes(2, seed=5)])
    assert [one.path for one in result.skipped] == ["bad.png"]


@pytest.mark.usefixtures("small")
def test_cached_maps_give_the_same_detector(taught: DetectionTeachResult) -> None:
    again = teach(shapes(24))
    assert again.detector.metrics == taught.detector.metrics
    assert again.seconds["embed"] > 0
    for name, array in taught.detector.head.items():
        np.testing.assert_array_equal(again.detector.head[name], array)


@pytest.mark.usefixtures("small")
def test_copies_of_test_photos_are_left_out_and_named() -> None:
    photos = [*shapes(6), *shapes(2, seed=9)]
    splits = ["train"] * 6 + ["test"] * 2
    photos = [
        replace(one, photo=replace(one.photo, name=f"{number}.png", split=split))
        for number, (one, split) in enumerate(
            zip([*photos[:5], photos[6], *photos[6:]], splits, strict=True)
        )
    ]
    result = teach(photos)
    (finding,) = (one for one in result.findings if "not trained on" in one.message)
    assert finding.photos == ("5.png",)
    assert result.trained == 5
    page = detection.render(result)
    assert "1 near-duplicate" not in page or "same fold" not in page


@pytest.mark.usefixtures("small")
def test_bad_input() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    background = tuple(annotated(f"{number}.png", grey, [], []) for number in range(3))
    with pytest.raises(DatasetError, match="found none in 3 photos"):
        teach(BoxDataset(background))
    with pytest.raises(DatasetError, match="at least two different photos"):
        teach(shapes(1))


def test_classes_that_it_does_not_know(taught: DetectionTeachResult) -> None:
    others = [replace(photo, labels=("star",) * len(photo.labels)) for photo in shapes(3, seed=4)]
    with pytest.raises(DatasetError, match="found those of star"):
        evaluate(taught.detector, others)
    result = evaluate(taught.detector, [*others, *shapes(3, seed=5)])
    assert any("star were left out" in finding.message for finding in result.findings)


def test_photos_it_was_trained_on_are_told(taught: DetectionTeachResult) -> None:
    result = evaluate(taught.detector, shapes(24)[:4])
    assert len(result.known) == 4
    assert "inflated" in result.figures(Path("photos")).warning


def test_a_plan_gives_the_same_head(taught: DetectionTeachResult, small: None) -> None:
    views = [example_of(taught, photo) for photo in shapes(4)]
    plan, channels = Plan(16, 3), taught.detector.channels
    heads = [fit_head(views, channels, 2, plan, lambda done: None) for _ in range(2)]
    for first, second in zip(*(head.state_dict().values() for head in heads), strict=True):
        assert torch.equal(first, second)


def example_of(taught: DetectionTeachResult, photo: Any) -> tuple[Any, ...]:
    from eyespot.tasks.detection.embed import embed_photos
    from eyespot.tasks.detection.engine import maps_engine

    detector = taught.detector
    (one,), _ = embed_photos(
        [photo],
        detector.classes,
        maps_engine(detector.backbone),
        detector.channels,
        mirror=True,
        cache=None,
        progress=lambda done: None,
    )
    return one.views


@pytest.mark.parametrize(
    ("width", "height"),
    [(640, 480), (480, 640), (100, 100), (20_000, 300), (1, 5_000), (4000, 3000)],
)
def test_inputs_keep_proportions_and_a_bounded_area(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "AREA", 640 * 480)
    across, down = input_size(width, height)
    assert across % 32 == down % 32 == 0
    assert 0.6 < across * down / frames.AREA < 1.4
    if 1 / 4 < width / height < 4:
        assert across / down == pytest.approx(width / height, rel=0.1)


def test_mirrored_boxes_lie_on_the_mirrored_objects() -> None:
    from eyespot.tasks.detection.embed import mirrored_boxes

    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[10:20, 5:25] = 255
    box = np.array([[5, 10, 25, 20]], np.float32)
    ((left, top, right, bottom),) = mirrored_boxes(box, 96).astype(int).tolist()
    turned = np.asarray(Image.fromarray(pixels).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert turned[top:bottom, left:right].all()
    assert turned.sum() == turned[top:bottom, left:right].sum()
    frame = frame_of(pixels)
    assert np.array_equal(mirrored(frame).pixels, frame.pixels[:, ::-1])
    np.testing.assert_allclose(frame.to_photo(frame.to_input(box)), box, rtol=1e-5)


def test_the_split_of_the_source_is_respected(taught: DetectionTeachResult) -> None:
    class Of:
        def __init__(self, split: str | None) -> None:
            self.photo = annotated("", np.zeros((1, 1, 3), np.uint8), [], [], split)

    photos: Any = [Of("train"), Of("val"), Of("test"), Of(None)]
    split = split_photos(photos, [0, 1, 2, 3])
    ((training, held_out),) = split.folds
    assert (training.tolist(), held_out.tolist()) == ([0, 1, 3], [2])
    assert split.final is None
    split = split_photos(photos, [0, 1, 0, 3])
    assert (split.folds[0][0].tolist(), split.dropped.tolist()) == ([1, 3], [0])
    with pytest.raises(DatasetError, match="duplicate photos of the test split"):
        split_photos(photos, [0, 0, 0, 0])
    counts = [len(split_photos([Of(None)] * n, range(n)).folds) for n in (2, 5, 20, 21, 101)]  # type: ignore[list-item]
    assert counts == [2, 2, 3, 5, 3]
    grouped = split_photos([Of(None)] * 6, [0, 0, 1, 1, 2, 2])  # type: ignore[list-item]
    for training, held_out in grouped.folds:
        assert not {one // 2 for one in training.tolist()} & {one // 2 for one in held_out.tolist()}
    assert head_of(taught.detector).training is False
