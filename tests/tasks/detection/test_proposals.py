import sys

import numpy as np
import pytest

from eyespot.arrays import U8
from eyespot.errors import MissingExtraError
from eyespot.tasks.detection.proposal_recall import proposal_recall
from eyespot.tasks.detection.selective_search import selective_search


def photo(height: int, width: int) -> U8:
    """A green field with a red rectangle at a quarter to a half of both sides."""
    pixels = np.full((height, width, 3), (40, 160, 60), np.uint8)
    pixels[height // 4 : height // 2, width // 4 : width // 2] = (220, 30, 30)
    return pixels


@pytest.fixture
def opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "ximgproc"):
        pytest.skip("OpenCV without its contributed modules")


@pytest.mark.usefixtures("opencv")
@pytest.mark.parametrize(("height", "width"), [(120, 160), (1200, 900), (100, 2000)])
def test_selective_search_finds_a_rectangle(height: int, width: int) -> None:
    pixels = photo(height, width)
    boxes = selective_search(pixels)
    assert boxes.dtype == np.float32
    assert len(np.unique(boxes, axis=0)) == len(boxes)
    assert boxes.min() >= 0
    assert (boxes[:, 2:] <= [width, height]).all()
    truth = np.array([[width // 4, height // 4, width // 2, height // 2]], np.float32)
    assert proposal_recall([truth], [boxes], [len(boxes)], [0.8]) == 1


@pytest.mark.usefixtures("opencv")
def test_the_same_photo_gives_the_same_boxes() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    boxes = selective_search(pixels)
    assert len(boxes) > 3
    assert np.array_equal(selective_search(pixels), boxes)
    assert np.array_equal(selective_search(pixels, most=3), boxes[:3])


@pytest.mark.usefixtures("opencv")
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (5000, 2)])
def test_odd_photos_give_boxes_or_none(height: int, width: int) -> None:
    assert selective_search(photo(height, width)).shape[1:] == (4,)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for absent in (None, type(sys)("cv2")):  # not installed; without the contributed modules
        monkeypatch.setitem(sys.modules, "cv2", absent)
        with pytest.raises(MissingExtraError, match=r"eyespot\[detect\]"):
            selective_search(photo(20, 20))


def test_recall_by_hand() -> None:
    """Four objects in three photos; the second photo has no proposals, the third no objects."""
    objects = [
        np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], np.float32),
        np.array([[0, 0, 10, 10]], np.float32),
        np.zeros((0, 4), np.float32),
    ]
    proposed = [
        np.array([[0, 0, 10, 6], [20, 0, 30, 10], [0, 0, 10, 9]], np.float32),
        np.zeros((0, 4), np.float32),
        np.array([[0, 0, 5, 5]], np.float32),
    ]
    recall = proposal_recall(objects, proposed, counts=[1, 2, 3, 100])
    assert recall.tolist() == [[0.25, 0.5, 0.5, 0.5], [0, 0.25, 0.5, 0.5]]
    assert np.isnan(proposal_recall(objects[2:], proposed[2:], [1])).all()
