"""Whether more photos would help: the paired comparison, and what is said of it."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.evaluation import learning_curve, wilson_interval


def right(count: int, of: int) -> NDArray[np.bool_]:
    """The first `count` of `of` photos were right."""
    return np.arange(of) < count


def test_shares_and_their_intervals() -> None:
    curve = learning_curve([25, 50, 100], [right(60, 100), right(80, 100), right(90, 100)])
    assert curve.sizes == (25, 50, 100)
    assert curve.top1 == (0.6, 0.8, 0.9)
    assert curve.intervals == tuple(wilson_interval(n, 100) for n in (60, 80, 90))


def test_the_gain_is_paired() -> None:
    """Ten of a hundred photos turned right: 0.1, with a deviation of 0.3 per photo."""
    curve = learning_curve([50, 100], [right(80, 100), right(90, 100)])
    assert curve.gain == pytest.approx(0.1)
    half = 1.96 * 0.3 / 10
    assert curve.gain_interval == pytest.approx((0.1 - half, 0.1 + half))


def test_the_same_gain_of_other_photos_is_less_certain() -> None:
    steady = learning_curve([50, 100], [right(80, 100), right(90, 100)])
    shuffled = learning_curve([50, 100], [right(80, 100), right(90, 100)[::-1]])
    assert shuffled.gain == pytest.approx(steady.gain)
    assert shuffled.gain_interval[0] < steady.gain_interval[0]


def test_a_clear_gain_asks_for_more_photos() -> None:
    curve = learning_curve([50, 100], [right(160, 200), right(190, 200)])
    assert curve.verdict.startswith("More photos are likely to help")
    assert "100 instead of 50 raised the accuracy by 15.0 points" in curve.verdict


def test_a_flat_curve_asks_for_none() -> None:
    curve = learning_curve([500, 1000], [right(1900, 2000), right(1901, 2000)])
    assert curve.verdict.startswith("More photos of the same kind will help little")


def test_a_few_photos_leave_it_open() -> None:
    turned = np.append(right(7, 8), [False, True])
    curve = learning_curve([4, 8], [np.append(right(7, 8), [True, False]), turned])
    assert "cannot show yet" in curve.verdict


def test_a_loss_never_asks_for_more_photos() -> None:
    curve = learning_curve([50, 100], [right(190, 200), right(160, 200)])
    assert curve.gain == pytest.approx(-0.15)
    assert not curve.verdict.startswith("More photos are likely")
    assert "15.0 points" in curve.verdict


def test_to_dict_goes_into_json() -> None:
    curve = learning_curve([50, 100], [right(8, 10), right(9, 10)])
    kept = json.loads(json.dumps(curve.to_dict(), allow_nan=False))
    assert kept["sizes"] == [50, 100]
    assert kept["gain_interval"] == list(curve.gain_interval)
