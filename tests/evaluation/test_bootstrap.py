"""Resampled photos, and intervals of resampled metrics."""

import math

import numpy as np
import pytest

from eyespot.evaluation import wilson_interval
from eyespot.evaluation.bootstrap import interval, resample, share_interval


def test_as_many_photos_are_drawn_as_there_are() -> None:
    drawn = resample(np.arange(20), 100)
    assert drawn.shape == (100, 20)
    assert (drawn.sum(axis=1) == 20).all()
    assert drawn.mean() == 1
    assert len(np.unique(drawn, axis=0)) == 100


def test_photos_of_a_group_are_drawn_together() -> None:
    drawn = resample(np.array([7, 7, 3, 9]), 50)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    assert (drawn[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(resample(np.arange(9), 5, 1), resample(np.arange(9), 5, 1))
    assert (resample(np.arange(9), 5, 1) != resample(np.arange(9), 5, 2)).any()


def test_no_photos() -> None:
    assert resample(np.zeros(0, np.int64), 5).shape == (5, 0)


def test_the_interval_is_the_middle_95_percent_without_nan() -> None:
    values = np.append(np.linspace(0, 1, 1001), np.nan)
    assert interval(values) == pytest.approx((0.025, 0.975))
    assert all(map(math.isnan, interval(np.array([np.nan]))))


def test_of_the_mean_of_many_photos_it_is_the_textbook_interval() -> None:
    counts = np.random.default_rng(0).normal(5, 2, 400)
    low, high = interval(resample(np.arange(400), 2000) @ counts / 400)
    half = 1.96 * counts.std() / 20
    assert (low, high) == pytest.approx((counts.mean() - half, counts.mean() + half), abs=0.02)


def test_one_photo_has_no_interval() -> None:
    assert all(map(math.isnan, share_interval(np.array([0.5, 0.5]), 0.5, 1)))


def test_the_interval_holds_the_measured_value() -> None:
    low, high = share_interval(np.linspace(0.5, 0.6, 101), 0.45, 10)
    assert (low, high) == pytest.approx((0.45, 0.5975))


def test_no_error_on_a_few_photos_is_not_certainty() -> None:
    assert share_interval(np.ones(50), 1.0, 10) == wilson_interval(10, 10)
    assert share_interval(np.zeros(50), 0.0, 10) == wilson_interval(0, 10)
