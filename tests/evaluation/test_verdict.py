"""The words about an evaluation follow from the data."""

import numpy as np
import pytest

from eyespot.evaluation import Evaluation, advice, evaluate, learning_curve, too_early, verdict

NAMES = ("cup", "glass", "mug")


def evaluation_of(confusion: list[list[int]]) -> Evaluation:
    """From counts: rows are the actual classes."""
    labels, answers = [], []
    for actual, row in enumerate(confusion):
        for predicted, count in enumerate(row):
            labels += [actual] * count
            answers += [predicted] * count
    return evaluate(np.eye(3)[answers], np.array(labels), NAMES)


SOME = evaluation_of([[95, 3, 2], [0, 80, 20], [4, 0, 96]])
CONFUSION = "Most frequent confusion: glass misclassified as mug, 20 of 100 photos."
RISING = learning_curve([500, 1000], [np.arange(300) < n for n in (240, 271)])
FLAT = learning_curve([500, 1000], [np.arange(2000) < n for n in (1900, 1901)])


def test_the_accuracy_its_interval_and_the_lowest_recall() -> None:
    said = verdict(SOME, "the test split")
    assert said == (
        "Accuracy 90.3% on the test split (95% CI 86.5–93.2%, n = 300). "
        "Lowest recall: glass, 80.0%."
    )


def test_more_photos_are_advised_where_the_curve_rises() -> None:
    assert advice(SOME, [100, 100, 100], RISING) == (
        f"Add about {RISING.more:,} photos, first of glass (lowest recall). {CONFUSION}"
    )


@pytest.mark.parametrize("curve", [FLAT, None])
def test_elsewhere_a_review_is_advised_and_no_number_of_photos(curve: object) -> None:
    said = advice(SOME, [100, 100, 100], curve)  # type: ignore[arg-type]
    assert CONFUSION in said
    assert "eview these 4 pairs of confused classes" in said
    assert said.startswith("More photos will not fix this: ") == (curve is FLAT)
    assert "Add" not in said


def test_a_class_without_photos_to_train_on_is_named_first() -> None:
    said = advice(evaluation_of([[50, 0, 0], [0, 50, 0], [9, 3, 0]]), [200, 200, 0], RISING)
    assert said.startswith("No photos to train on: mug. The classifier cannot predict this class")
    assert "misclassified as" not in said


def test_below_five_photos_it_is_too_early() -> None:
    said = advice(SOME, [40, 4, 2], None)
    assert said.startswith(
        "Too early to measure: too few photos to train on of glass (4), mug (2)."
    )
    few = evaluation_of([[0, 3, 0], [2, 2, 0], [0, 0, 4]])
    assert too_early(few)
    assert "%" not in verdict(few)
    assert not too_early(SOME)


def test_without_a_mistake_nothing_is_to_be_added() -> None:
    perfect = evaluation_of([[50, 0, 0], [0, 50, 0], [0, 0, 50]])
    assert advice(perfect, [50, 50, 50]).startswith("No photo was misclassified.")
    assert "Lowest" not in verdict(perfect)


def test_how_many_more_follows_from_the_curve() -> None:
    """Errors fall from 20% to 10% when photos double, so as 1 / n: a quarter fewer with a third
    more."""
    curve = learning_curve([500, 1000], [np.arange(2000) < n for n in (1600, 1800)], 1250)
    assert (curve.trend, curve.more) == ("rising", 500)  # 417 of 1,250
    assert curve.verdict.endswith("Roughly 500 more would avoid a quarter of the errors.")
    assert FLAT.more is None


def test_far_beyond_the_photos_nothing_is_extrapolated() -> None:
    curve = learning_curve([500, 1000], [np.arange(20_000) < n for n in (15_000, 15_300)])
    assert (curve.trend, curve.more) == ("rising", None)
    assert "Roughly" not in curve.verdict
