import numpy as np
import pytest
from PIL import Image, ImageColor

from eyespot.tasks.detection.draw import COLOURS, draw_boxes


@pytest.mark.parametrize("side", [16, 300, 3000])
def test_lines_are_where_the_box_is_and_grow_with_the_photo(side: int) -> None:
    grey = Image.new("RGB", (side, side), (128, 128, 128))
    box = np.array([[side / 4, side / 4, 3 * side / 4, 3 * side / 4]], np.float32)
    drawn = np.asarray(draw_boxes(grey, box, [""], [1]))
    middle = drawn[side // 2]
    line = np.flatnonzero((middle == ImageColor.getrgb(COLOURS[1])).all(1))
    assert len(line) == 2 * max(2, round(side / 300))
    assert {line[0], line[-1]} == {side // 4, 3 * side // 4}
    assert (middle[side // 2] == 128).all()
    assert (middle[line[0] - 1] == 255).all()  # the white edge
    assert (np.asarray(grey) == 128).all()  # the photo itself stays


@pytest.mark.parametrize("size", [(8, 8), (40, 30), (200, 1)])
def test_labels_and_boxes_beyond_the_photo_are_cut_off(size: tuple[int, int]) -> None:
    boxes = np.array([[-50, -50, 500, 500], [3, 0, 3, 0], [1e6, 1e6, 2e6, 2e6]], np.float32)
    drawn = draw_boxes(Image.new("L", size), boxes, ["a long label", "ä 漢", ""], [0, 7, 99])
    assert drawn.size == size
    assert drawn.mode == "RGB"


def test_small_boxes_are_above_large_ones() -> None:
    boxes = np.array([[40, 40, 60, 60], [0, 20, 40, 80]], np.float32)  # they share a side
    drawn = np.asarray(draw_boxes(Image.new("RGB", (100, 100)), boxes, ["", ""], [0, 1]))
    assert tuple(drawn[50, 40]) == ImageColor.getrgb(COLOURS[0])


def test_no_boxes() -> None:
    photo = Image.new("RGB", (20, 10), "red")
    assert draw_boxes(photo, np.zeros((0, 4), np.float32), [], []).tobytes() == photo.tobytes()
