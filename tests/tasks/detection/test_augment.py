"""Random views: the boxes move with the pixels."""

import numpy as np
import pytest

from eyespot.tasks.detection.augment import LEAST_VISIBLE, View, random_view

FILL = (124, 116, 104)


def view(*boxes: tuple[int, int, int, int], side: int = 200) -> View:
    """White rectangles on black."""
    pixels = np.zeros((side, side, 3), np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return View(pixels, corners, np.arange(len(boxes)), np.zeros(len(boxes), bool))


@pytest.mark.parametrize("seed", range(20))
def test_a_box_stays_around_its_object(seed: int) -> None:
    # No other edge is as bright: the fill is grey, and brightness changes by 16% at most.
    found = random_view(view((70, 90, 110, 120)), np.random.default_rng(seed), FILL)
    assert found.pixels.shape == (200, 200, 3)
    rows, columns = np.nonzero(found.pixels[:, :, 0] > 190)
    seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(found.boxes[0], seen, atol=1.5)
    assert not found.ignored.any()


def test_views_are_mirrored_scaled_and_moved() -> None:
    random = np.random.default_rng(0)
    boxes = np.array(
        [random_view(view((50, 90, 90, 110)), random, FILL).boxes[0] for _ in range(200)]
    )
    widths, centres = boxes[:, 2] - boxes[:, 0], (boxes[:, 0] + boxes[:, 2]) / 2
    assert 30 < widths.min() < 33
    assert 49 < widths.max() < 52
    assert 0.4 < (centres > 100).mean() < 0.6, "every other one is mirrored"
    np.testing.assert_allclose(widths / (boxes[:, 3] - boxes[:, 1]), 2, rtol=1e-3)


def test_boxes_beyond_the_sides_are_cut_ignored_or_left_out() -> None:
    random = np.random.default_rng(1)
    whole = view((0, 0, 20, 20), (90, 90, 110, 110))
    states = set()
    for _ in range(100):
        found = random_view(whole, random, FILL)
        assert (found.boxes >= 0).all()
        assert (found.boxes <= 200).all()
        areas = np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
        for label, area, ignored in zip(found.labels, areas, found.ignored, strict=True):
            scale = areas[found.labels == 1][0] / 400
            if label == 0:
                assert ignored == (area / (400 * scale) < LEAST_VISIBLE)
                states.add("ignored" if ignored else "kept")
        states |= set() if 0 in found.labels else {"left out"}
    assert states == {"kept", "ignored", "left out"}


def test_ignored_boxes_stay_ignored_and_photos_without_boxes_work() -> None:
    random = np.random.default_rng(0)
    one = view((90, 90, 110, 110))
    crowd = View(one.pixels, one.boxes, one.labels, np.ones(1, bool))
    assert random_view(crowd, random, FILL).ignored.all()
    assert random_view(view(), random, FILL).boxes.shape == (0, 4)
