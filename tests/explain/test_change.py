"""The squares that change an answer, where it is known which they are."""

import numpy as np
import pytest

from eyespot.explain.change import MOST, Change, least_change
from eyespot.explain.occlusion import slide, squares
from eyespot.tasks.classification.classifier import Classifier
from tests.explain.pretend import GREY, SIZE, pretend

PLACES = {"u": (1, 1), "v": (1, 14), "w": (14, 1)}
"""Pixels (row, column) in corners, where no square covers two of them."""


def picture() -> np.ndarray:
    out = np.full((SIZE, SIZE, 3), GREY, np.uint8)
    for place in PLACES.values():
        out[place] = 255
    return out


def leads(by_covered: dict[str, float]) -> Classifier:
    """How far a is ahead of b when those of `PLACES` are covered."""

    def see(pixels: np.ndarray) -> list[float]:
        hidden = "".join(name for name, at in PLACES.items() if pixels[at].max() == GREY)
        lead = by_covered[hidden]
        return [lead**2, 0] if lead > 0 else [0, lead**2]

    return pretend(see, [[1, 0, -9], [0, 1, -9]])


def change(classifier: Classifier, wanted: int | None = None) -> Change | None:
    found = least_change(
        classifier, picture(), classifier.score_features(slide(classifier, picture()))[0], wanted
    )
    return found


def hidden(change: Change) -> str:
    """Which places its squares cover."""
    assert set(change.boxes) <= set(squares(SIZE))
    return "".join(
        name
        for name, (row, column) in PLACES.items()
        if any(x0 <= column < x1 and y0 <= row < y1 for x0, y0, x1, y1 in change.boxes)
    )


def test_one_square_is_found_where_one_is_enough() -> None:
    found = change(leads({"": 2, "u": 1, "v": -1, "w": 1, "uv": 1, "uw": 1, "vw": 1, "uvw": 1}))
    assert found is not None
    assert hidden(found) == "v"
    assert len(found.boxes) == 1
    assert found.share == 1 / 16
    assert found.label == "b"
    assert found.probability == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-3)


def test_two_where_one_is_not() -> None:
    found = change(leads({"": 4, "u": 3, "v": 3, "w": 4, "uv": 2, "uw": -1, "vw": 3, "uvw": 1}))
    assert found is not None
    assert hidden(found) == "uw"
    assert found.share == 2 / 16


def test_a_square_that_turned_out_not_to_matter_is_left_out() -> None:
    found = change(
        leads({"": 3, "u": 1, "v": 2, "w": 2, "uv": 0.5, "uw": 0.6, "vw": -1, "uvw": -2})
    )
    assert found is not None
    assert hidden(found) == "vw"
    assert len(found.boxes) == 2
    assert found.probability == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-3)


def test_it_says_so_if_there_are_none() -> None:
    classifier = leads(dict.fromkeys(["", "u", "v", "w", "uv", "uw", "vw", "uvw"], 1.0))
    assert change(classifier) is None
    assert len(classifier.engine.asked) < 50 * MOST  # type: ignore[attr-defined]


def test_a_certain_class_can_be_wanted() -> None:
    """c comes when v is covered, b when u is: the first that helps is not what was asked for."""

    def see(pixels: np.ndarray) -> list[float]:
        return [float(pixels[at].max() == GREY) for at in (PLACES["u"], PLACES["v"])] + [1.0]

    classifier = pretend(see, [[0, 5, 0], [0, 0, 4], [2, 0, 0]])
    other, wanted = change(classifier), change(classifier, 2)
    assert other is not None
    assert wanted is not None
    assert (other.label, hidden(other)) == ("b", "u")
    assert (wanted.label, hidden(wanted)) == ("c", "v")
