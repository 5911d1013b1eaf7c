"""Wilson's interval against published values and its own definition."""

import math

import numpy as np
import pytest

from eyespot.evaluation import wilson_interval
from eyespot.evaluation.intervals import paired_interval


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (5, 10, 0.2366, 0.7634),
        (1, 29, 0.0061, 0.1718),  # Newcombe 1998, table I, as the next two
        (15, 148, 0.0624, 0.1605),
        (81, 263, 0.2553, 0.3662),
        (95, 100, 0.8882, 0.9785),
    ],
)
def test_known_values(successes: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(successes, count) == pytest.approx((low, high), abs=6e-5)


def test_none_of_ten_begins_at_exactly_nothing() -> None:
    low, high = wilson_interval(0, 10)
    assert low == 0
    assert high == pytest.approx(0.2775, abs=6e-5)


def test_ten_of_ten_ends_at_exactly_all() -> None:
    low, high = wilson_interval(10, 10)
    assert low == pytest.approx(0.7225, abs=6e-5)
    assert high == 1


def test_of_nothing_everything_is_possible() -> None:
    assert wilson_interval(0, 0) == (0, 1)


@pytest.mark.parametrize("count", [1, 2, 7, 30, 1000])
def test_holds_the_measured_share_and_stays_within_0_and_1(count: int) -> None:
    for successes in range(count + 1):
        low, high = wilson_interval(successes, count)
        assert 0 <= low <= successes / count <= high <= 1
        assert low < high


def test_failures_mirror_successes() -> None:
    low, high = wilson_interval(3, 17)
    assert wilson_interval(14, 17) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("successes", [1, 12, 29])
def test_its_ends_are_what_the_score_test_just_accepts(successes: int) -> None:
    for end in wilson_interval(successes, 30):
        distance = abs(successes / 30 - end) / math.sqrt(end * (1 - end) / 30)
        assert distance == pytest.approx(1.959964, abs=1e-5)


def test_more_photos_narrow_it() -> None:
    few, many = wilson_interval(8, 10), wilson_interval(80, 100)
    assert few[0] < many[0] < many[1] < few[1]


def test_more_confidence_widens_it() -> None:
    usual, sure = wilson_interval(8, 10), wilson_interval(8, 10, 0.99)
    assert sure == pytest.approx((0.4012, 0.9614), abs=2e-3)
    assert sure[0] < usual[0] < usual[1] < sure[1]


def test_a_fractional_count_lies_between_its_neighbours() -> None:
    assert wilson_interval(7, 10)[0] < wilson_interval(7.5, 10)[0] < wilson_interval(8, 10)[0]


def test_the_difference_of_paired_shares() -> None:
    first, second = np.ones(100, bool), np.ones(100, bool)
    first[:1], second[1:6] = False, False  # 1 and 5 that only the other one has
    # Agresti and Min 2005, by hand: 4 / 102 -+ 1.96 * sqrt(7 - 16 / 102) / 102
    assert paired_interval(first, second) == pytest.approx((-0.01105, 0.08948), abs=2e-5)
    low, high = paired_interval(second, first)
    assert (low, high) == pytest.approx((-0.08948, 0.01105), abs=2e-5)
    low, high = paired_interval(first[6:], first[6:])
    assert low == -high < 0  # of 94 without a difference, not none is certain
