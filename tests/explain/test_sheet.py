import numpy as np
import pytest

from eyespot.explain import colours
from eyespot.explain.sheet import GAP, WIDTH, columns_for, grid, page, resized


def test_colours_are_evenly_spaced_and_a_screen_can_show_them() -> None:
    helix = colours.helix()
    steps = np.linalg.norm(np.diff(helix, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.0001
    assert (np.diff(helix[:, 0]) > 0).all()
    light = colours.linear_rgb(helix)
    assert light.min() > 0
    assert light.max() < 1
    assert len(np.unique(colours.palette(), axis=0)) > 250


def test_oklab_white_and_grey_have_no_colour() -> None:
    white, grey = colours.linear_rgb(np.array([[1.0, 0, 0], [0.5, 0, 0]]))
    assert white == pytest.approx([1, 1, 1], abs=1e-6)
    assert grey == pytest.approx([0.125, 0.125, 0.125], abs=1e-6)


def test_each_map_has_its_own_scale() -> None:
    faint = np.array([[0, 1], [2, 4]], np.float32)
    pictures = colours.coloured(np.stack([faint, 100 * faint - 7, np.full((2, 2), 3, np.float32)]))
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0, 1, 1] == colours.palette()[255]).all()
    assert (pictures[2] == colours.palette()[0]).all()


def test_maps_of_one_pixel_share_a_scale() -> None:
    pictures = colours.coloured(np.array([0, 1, 2], np.float32).reshape(3, 1, 1))
    assert (pictures[:, 0, 0] == colours.palette()[[0, 128, 255]]).all()


@pytest.mark.parametrize(
    ("count", "columns"), [(96, 12), (48, 8), (64, 8), (13, 4), (1, 1), (2048, 64), (4096, 64)]
)
def test_rows_are_full_where_they_can_be(count: int, columns: int) -> None:
    assert columns_for(count, 7, 7) == columns


@pytest.mark.parametrize(
    ("count", "side", "shown"),
    [(2048, 7, 21), (64, 224, 112), (32, 3, 126), (4096, 1, 21), (3, 300, 300)],
)
def test_a_grid_is_never_too_wide_and_its_pictures_stay_visible(
    count: int, side: int, shown: int
) -> None:
    tiles = np.zeros((count, side, side, 3), np.uint8)
    picture = grid(tiles)
    columns = columns_for(count, side, side)
    assert picture.shape[1] == columns * (shown + GAP) - GAP <= WIDTH
    assert (picture[0] == 255).all(axis=1).sum() == (columns - 1) * GAP


def test_every_picture_stands_at_its_place() -> None:
    tiles = np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    picture = grid(tiles)
    step = (picture.shape[1] + GAP) // 3
    middles = picture[step // 2 :: step, step // 2 :: step, 0]
    assert middles.tolist() == [[0, 1, 2], [3, 4, 255]]


def test_enlarged_pixels_are_squares_and_reduced_ones_means() -> None:
    tiles = np.array([[0, 100], [200, 40]], np.uint8)[None, :, :, None].repeat(3, axis=3)
    large = resized(tiles, 7)
    assert large.shape == (1, 6, 6, 3)
    assert (large[0, :3, 3:] == 100).all()
    assert resized(tiles, 1)[0].tolist() == [[[85, 85, 85]]]


def test_a_page_shows_its_panels_and_makes_room_for_the_title() -> None:
    panels = [("a", np.full((30, 40, 3), 7, np.uint8)), ("b", np.full((50, 20, 3), 9, np.uint8))]
    pixels = np.asarray(page("A title that is much longer than both panels together", panels))
    assert (pixels == 7).all(axis=2).sum() >= 30 * 40
    assert (pixels == 9).all(axis=2).sum() >= 50 * 20
    assert (pixels[:, -24:] == 255).all()  # nothing runs over the edge
