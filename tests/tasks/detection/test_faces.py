from pathlib import Path

import numpy as np
import pytest
import torch

from eyespot.errors import WeightsError
from eyespot.features.backbone import load_backbone
from eyespot.features.extractor import build_extractor
from eyespot.tasks.detection import faces
from eyespot.tasks.detection.faces import Face, boxes, find_faces
from eyespot.tasks.task import load
from eyespot.weights.importers import import_weights

GROUPS = {"bbt1.jpg": 4, "bbt2.jpg": 3, "bbt3.jpg": 5, "bbt4.jpg": 6, "bbt5.jpg": 5}
"""Faces that a person counts in each photo."""


@pytest.fixture
def detector(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path))
    manifest = shared_data / "weights" / "tiny_face_detector_model-weights_manifest.json"
    faces._detector.cache_clear()
    return import_weights("tiny_yolo_face", manifest)


@pytest.mark.usefixtures("detector")
def test_faces_in_groups_and_portraits(shared_data: Path) -> None:
    folder = shared_data / "faces"
    found = {name: len(find_faces(folder / name)) for name in GROUPS}
    assert sum(abs(found[name] - count) for name, count in GROUPS.items()) <= 1
    portraits = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in (".jpg", ".png") and path.name not in (*GROUPS, "faces.jpg", "white.png")
    ]
    assert np.mean([len(find_faces(path)) >= 1 for path in portraits[:20]]) >= 0.85
    assert find_faces(folder / "white.png") == ()


@pytest.mark.usefixtures("detector")
def test_what_a_detector_sees_describes_photos() -> None:
    extractor, widths = build_extractor(load_backbone("tiny_yolo_face"))
    features = extractor(torch.zeros(2, 224, 224, 3, dtype=torch.uint8))
    assert features.shape == (2, sum(widths.values()))


@pytest.mark.usefixtures("detector")
def test_a_detector_is_no_classifier() -> None:
    with pytest.raises(WeightsError, match="do not name their classes"):
        load("tiny_yolo_face")


@pytest.mark.usefixtures("detector")
def test_boxes_follow_the_photo(shared_data: Path) -> None:
    from PIL import Image

    with Image.open(shared_data / "faces" / "bbt4.jpg") as opened:
        image = opened.convert("RGB")
    found = find_faces(np.asarray(image))
    double = find_faces(image.resize((2 * image.width, 2 * image.height)))
    assert len(double) == len(found)
    for face in found:
        twice = Face(2 * face.left, 2 * face.top, 2 * face.right, 2 * face.bottom, face.score)
        assert max(twice.overlap(other) for other in double) > 0.8
        assert 0 <= face.left < face.right <= image.width
        assert 0 <= face.top < face.bottom <= image.height
    assert [face.score for face in found] == sorted((f.score for f in found), reverse=True)


def test_a_cell_of_the_grid_by_hand() -> None:
    grid = np.full((5, 5, 7, 7), -9, np.float32)
    grid[1, :, 2, 3] = 0, 0, np.log(0.5), 0, 9  # second anchor, row 2, column 3
    ((left, top, right, bottom, score),) = boxes(grid.reshape(25, 7, 7))
    assert (left + right) / 2 == pytest.approx(3.5 / 7)
    assert (top + bottom) / 2 == pytest.approx(2.5 / 7)
    assert right - left == pytest.approx(0.5 * 6.041143 / 7)
    assert bottom - top == pytest.approx(7.080126 / 7)
    assert score == pytest.approx(1 / (1 + np.exp(-9)))


def test_overlap_is_intersection_over_union() -> None:
    face = Face(0, 0, 2, 2, 1)
    assert face.overlap(face) == 1
    assert face.overlap(Face(1, 0, 3, 2, 1)) == pytest.approx(1 / 3)
    assert face.overlap(Face(2, 2, 3, 3, 1)) == 0


def test_without_weights_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path))
    faces._detector.cache_clear()
    with pytest.raises(WeightsError, match="tiny_yolo_face"):
        find_faces(np.zeros((50, 50, 3), np.uint8))
