"""Occlusion against its definition, against captum, and where the reason is known."""

import numpy as np
import pytest
import torch

from eyespot.explain.occlusion import CELLS, covered, heat, scaled, slide, squares
from eyespot.tasks.classification.classifier import Classifier
from tests.explain.pretend import GREY, SIZE, pretend


def quadrants(picture: np.ndarray) -> list[float]:
    """Mean brightness of the four quarters, row by row, 0..1."""
    half = SIZE // 2
    return list(picture.reshape(2, half, 2, half, 3).mean((1, 3, 4)).ravel() / 255)


@pytest.fixture
def classifier() -> Classifier:
    """a: bright at the upper left. b: bright at the lower right. c: neither."""
    return pretend(quadrants, [[2, 0, 0], [0, 0, 0], [0, 0, 0], [0, 2, 0]])


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def probabilities(classifier: Classifier, photo: np.ndarray, cells: int = CELLS) -> np.ndarray:
    return classifier.score_features(slide(classifier, photo, cells))[0]


@pytest.mark.parametrize(("size", "cells"), [(16, 8), (224, 8), (225, 6), (32, 3), (9, 8), (5, 8)])
def test_squares_cover_all_and_stay_inside(size: int, cells: int) -> None:
    boxes = squares(size, cells)
    assert len(boxes) == (cells - 1) ** 2
    assert covered(np.zeros((size, size, 3), np.uint8), boxes, (1, 1, 1)).all()
    assert boxes[0][:2] == (0, 0)
    assert boxes[-1][2:] == (size, size)
    assert boxes[1][:2] == (boxes[0][2] // 2, 0) or size % cells  # to the right, by half of itself


def test_what_is_covered_is_grey_and_the_rest_as_it_was(
    classifier: Classifier, photo: np.ndarray
) -> None:
    before = photo.copy()
    slide(classifier, photo)
    asked = np.array(classifier.engine.asked)  # type: ignore[attr-defined]
    assert np.array_equal(photo, before)
    assert sum(np.array_equal(one, photo) for one in asked) == 1
    changed = (asked != photo).any(axis=3)
    assert (asked[changed] == GREY).all()
    assert (changed.sum((1, 2)) <= 16).all()


def test_it_is_what_is_lost(classifier: Classifier, photo: np.ndarray) -> None:
    found = heat(probabilities(classifier, photo), 1)
    total, count = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    whole = classifier.score_features(classifier.engine.run(photo[None]))[0][0, 1]
    for left, top, right, bottom in squares(SIZE):
        one = photo.copy()
        one[top:bottom, left:right] = GREY
        share = classifier.score_features(classifier.engine.run(one[None]))[0][0, 1]
        total[top:bottom, left:right] += whole - share
        count[top:bottom, left:right] += 1
    assert np.allclose(found.repeat(2, 0).repeat(2, 1), total / count, atol=1e-6)


def test_captum_agrees(classifier: Classifier, photo: np.ndarray) -> None:
    captum = pytest.importorskip("captum.attr")

    def share(pictures: torch.Tensor) -> torch.Tensor:
        pixels = pictures.permute(0, 2, 3, 1).numpy().astype(np.uint8)
        return torch.from_numpy(classifier.score_features(classifier.engine.run(pixels))[0])

    theirs = captum.Occlusion(share).attribute(
        torch.from_numpy(photo.transpose(2, 0, 1)[None].astype(np.float64)),
        sliding_window_shapes=(3, 4, 4),
        strides=(3, 2, 2),
        baselines=float(GREY),
        target=0,
    )
    ours = heat(probabilities(classifier, photo), 0)
    assert np.allclose(ours.repeat(2, 0).repeat(2, 1), theirs[0, 0].numpy(), atol=1e-6)


def test_it_finds_the_place(classifier: Classifier) -> None:
    photo = np.full((SIZE, SIZE, 3), GREY, np.uint8)
    photo[:6, :6] = 255
    photo[12:, 12:] = 255
    found = heat(probabilities(classifier, photo), 0)
    assert (found[:3, :3] > 0).all()  # this speaks for it
    assert (found[6:, 6:] < 0).all()  # that speaks for another
    assert not found[:3, 5:].any()
    shown = scaled(found)
    assert shown.max() == 1
    assert not shown[6:, 6:].any()


def test_where_nothing_counts_nothing_is_shown() -> None:
    blind = pretend(lambda picture: [1.0], [[1, 2]])
    found = heat(probabilities(blind, np.zeros((SIZE, SIZE, 3), np.uint8), 6), 0)
    assert found.shape == (6, 6)
    assert not scaled(found).any()
