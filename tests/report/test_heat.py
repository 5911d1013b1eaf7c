"""Heat maps beside the worst mistakes."""

import base64
import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyespot.data.photos import Dataset, MemorySource, Photo
from eyespot.explain.colours import SHOWN, palette
from eyespot.report import heat
from eyespot.report.heat import MOST, heat_maps
from tests.explain.pretend import GREY, SIZE, pretend
from tests.test_import import loaded_after


class Result:
    """The attributes that are needed: bright photos, misclassified as b."""

    def __init__(self, photos: list[Any]) -> None:
        self.classifier = pretend(lambda x: [x[:8, :8].mean() / 255, 0.3], [[0, 4], [2, 0]])
        self.dataset = Dataset(
            tuple(Photo(str(n), MemorySource(photo)) for n, photo in enumerate(photos))
        )
        self.probabilities = np.tile([0.1, 0.9], (len(photos), 1))


def bright_corner(width: int = SIZE) -> np.ndarray:
    photo = np.full((SIZE, width, 3), GREY, np.uint8)
    photo[: SIZE // 2, : width // 2] = 250
    return photo


def shown(address: str | None) -> np.ndarray:
    data = re.fullmatch(r"data:image/jpeg;base64,(.*)", address or "")
    assert data
    with Image.open(BytesIO(base64.b64decode(data[1]))) as image:
        return np.asarray(image).astype(int)


def test_areas_that_raise_the_score_are_coloured() -> None:
    result = Result([bright_corner(2 * SIZE)])
    (address,) = heat_maps(result, [0]).values()  # type: ignore[arg-type]
    picture = shown(address)
    assert picture.shape == (48, 96, 3)  # in the photo's own proportions
    brightest = SHOWN * palette()[255] + (1 - SHOWN) * 250
    assert np.abs(picture[:12, :24].mean((0, 1)) - brightest).max() < 25
    assert np.abs(picture[36:, 72:] - GREY).max() < 8


def test_the_map_is_that_of_the_predicted_class() -> None:
    result = Result([bright_corner()])
    result.probabilities = np.array([[0.9, 0.1]])
    assert heat_maps(result, [0]) == {0: None}  # type: ignore[arg-type] # the corner raises b


def test_where_no_area_raises_the_score_there_is_no_map() -> None:
    result = Result([np.zeros((SIZE, SIZE, 3), np.uint8)])  # grey is brighter
    assert heat_maps(result, [0]) == {0: None}  # type: ignore[arg-type]


def test_unreadable_photos_are_skipped() -> None:
    result = Result([bright_corner(), b"", b"not a photo", bright_corner()])
    assert sorted(heat_maps(result, [1, 3, 2, 0])) == [0, 3]  # type: ignore[arg-type]


def test_there_are_a_dozen_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat, "SECONDS", 1e9)
    result = Result([bright_corner()] * (MOST + 3))
    order = list(range(MOST + 3))[::-1]
    assert list(heat_maps(result, order)) == order[:MOST]  # type: ignore[arg-type]


def test_a_slow_network_gives_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat, "SECONDS", 0)
    result = Result([bright_corner()] * 5)
    assert list(heat_maps(result, [4, 2])) == [4]  # type: ignore[arg-type]


def test_the_report_needs_no_torch() -> None:
    """Importing it takes more than a second."""
    assert "torch" not in loaded_after("import eyespot.report.page")


def test_without_mistakes_nothing_is_run() -> None:
    result = Result([bright_corner()])
    assert heat_maps(result, []) == {}  # type: ignore[arg-type]
    assert result.classifier.engine.asked == []  # type: ignore[attr-defined]
