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


class Lesson:
    """What of a lesson is asked for: bright photos, taken for b."""

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


def test_what_speaks_for_the_wrong_answer_is_coloured() -> None:
    lesson = Lesson([bright_corner(2 * SIZE)])
    (address,) = heat_maps(lesson, [0]).values()  # type: ignore[arg-type]
    picture = shown(address)
    assert picture.shape == (48, 96, 3)  # in the photo's own proportions
    brightest = SHOWN * palette()[255] + (1 - SHOWN) * 250
    assert np.abs(picture[:12, :24].mean((0, 1)) - brightest).max() < 25
    assert np.abs(picture[36:, 72:] - GREY).max() < 8


def test_it_is_asked_of_what_was_said() -> None:
    lesson = Lesson([bright_corner()])
    lesson.probabilities = np.array([[0.9, 0.1]])
    assert heat_maps(lesson, [0]) == {0: None}  # type: ignore[arg-type] # it speaks for b


def test_where_nothing_speaks_for_it_there_is_no_picture() -> None:
    lesson = Lesson([np.zeros((SIZE, SIZE, 3), np.uint8)])  # grey is brighter
    assert heat_maps(lesson, [0]) == {0: None}  # type: ignore[arg-type]


def test_photos_that_cannot_be_read_are_passed_over() -> None:
    lesson = Lesson([bright_corner(), b"", b"not a photo", bright_corner()])
    assert sorted(heat_maps(lesson, [1, 3, 2, 0])) == [0, 3]  # type: ignore[arg-type]


def test_there_are_a_dozen_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat, "SECONDS", 1e9)
    lesson = Lesson([bright_corner()] * (MOST + 3))
    order = list(range(MOST + 3))[::-1]
    assert list(heat_maps(lesson, order)) == order[:MOST]  # type: ignore[arg-type]


def test_a_slow_network_gives_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat, "SECONDS", 0)
    lesson = Lesson([bright_corner()] * 5)
    assert list(heat_maps(lesson, [4, 2])) == [4]  # type: ignore[arg-type]


def test_the_report_needs_no_torch() -> None:
    """Importing it takes more than a second."""
    assert "torch" not in loaded_after("import eyespot.report.page")


def test_without_mistakes_nothing_is_asked() -> None:
    lesson = Lesson([bright_corner()])
    assert heat_maps(lesson, []) == {}  # type: ignore[arg-type]
    assert lesson.classifier.engine.asked == []  # type: ignore[attr-defined]
