"""Figures against scikit-learn's, and against small cases worked out by hand."""

import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from eyespot.evaluation import Evaluation, evaluate, wilson_interval

CLASSES = tuple("abcdefg")
Answers = tuple[NDArray[np.float64], NDArray[np.int64]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Answers about 300 photos of seven classes, about half of them right."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(CLASSES), 300)
    scores = rng.normal(size=(300, len(CLASSES)))
    scores[np.arange(300), labels] += 1.5
    shares = np.exp(scores)
    return shares / shares.sum(axis=1, keepdims=True), labels


@pytest.fixture(scope="module")
def judged(answers: Answers) -> Evaluation:
    return evaluate(*answers, CLASSES)


def two_classes(sure: list[float], right: list[bool]) -> Answers:
    """Photos of class 0 answered with class 0 (right) or 1 (wrong) at the given confidence."""
    first = np.where(right, sure, 1 - np.array(sure))
    return np.stack([first, 1 - first], axis=1), np.zeros(len(sure), dtype=np.int64)


def test_top1_and_top5_are_those_of_scikit_learn(answers: Answers, judged: Evaluation) -> None:
    probabilities, labels = answers
    assert judged.top1 == pytest.approx(metrics.accuracy_score(labels, probabilities.argmax(1)))
    assert judged.top5 == pytest.approx(metrics.top_k_accuracy_score(labels, probabilities, k=5))
    assert judged.top1 < judged.top5 < 1


def test_scores_of_a_class_are_those_of_scikit_learn(answers: Answers, judged: Evaluation) -> None:
    probabilities, labels = answers
    found = np.array([(s.precision, s.recall, s.f1, s.support) for s in judged.per_class])
    right = metrics.precision_recall_fscore_support(labels, probabilities.argmax(1))
    np.testing.assert_allclose(found.T, right)
    assert tuple(score.name for score in judged.per_class) == CLASSES


def test_confusion_is_that_of_scikit_learn(answers: Answers, judged: Evaluation) -> None:
    probabilities, labels = answers
    np.testing.assert_array_equal(
        judged.confusion, metrics.confusion_matrix(labels, probabilities.argmax(1))
    )


def test_balanced_accuracy_is_that_of_scikit_learn(answers: Answers, judged: Evaluation) -> None:
    probabilities, labels = answers
    assert judged.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(labels, probabilities.argmax(1))
    )


def test_a_class_without_photos_is_undefined_and_spoils_no_mean() -> None:
    probabilities, labels = two_classes([0.9, 0.8], [True, True])
    judged = evaluate(probabilities, labels, ("seen", "never seen"))
    assert math.isnan(judged.per_class[1].recall)
    assert math.isnan(judged.per_class[1].precision)
    assert judged.per_class[1].recall_interval == (0, 1)
    assert judged.balanced_accuracy == 1


def test_ece_in_one_bin_by_hand() -> None:
    judged = evaluate(*two_classes([0.9, 0.8, 0.7, 0.6], [True, True, True, False]), "ab")
    assert len(judged.reliability) == 1
    assert judged.ece == pytest.approx(abs(0.75 - 3 / 4))


def test_ece_in_two_bins_by_hand() -> None:
    """Twenty photos make two bins, and two classes fill the upper one only: |0.8 - 0.5|."""
    judged = evaluate(*two_classes([0.8] * 20, [True, False] * 10), "ab")
    assert judged.ece == pytest.approx(0.3)
    assert judged.reliability[0].interval == wilson_interval(10, 20)


def test_ece_weighs_bins_by_their_photos() -> None:
    """Four classes: 30 photos at 0.95, all right, and 10 at 0.4, all wrong, in four bins."""
    sure, unsure = [0.95, 0.05, 0, 0], [0.3, 0.4, 0.2, 0.1]
    judged = evaluate(np.array([sure] * 30 + [unsure] * 10), np.zeros(40, np.int64), "abcd")
    assert [b.count for b in judged.reliability] == [10, 30]
    assert judged.ece == pytest.approx((30 * 0.05 + 10 * 0.4) / 40)


def test_full_certainty_falls_into_the_last_bin() -> None:
    judged = evaluate(*two_classes([1.0] * 30, [True] * 30), "ab")
    assert [b.count for b in judged.reliability] == [30]
    assert judged.ece == 0


def test_photos_that_were_not_asked_about_are_passed_over(
    answers: Answers, judged: Evaluation
) -> None:
    probabilities, labels = answers
    gaps = np.full((50, len(CLASSES)), np.nan)
    again = evaluate(
        np.concatenate([gaps, probabilities]),
        np.concatenate([np.zeros(50, np.int64), labels]),
        CLASSES,
    )
    assert again.to_dict() == judged.to_dict()


def test_copies_widen_the_interval_but_move_no_figure() -> None:
    probabilities, labels = two_classes([0.9] * 20, [True] * 10 + [False] * 10)
    alone = evaluate(probabilities, labels, "ab")
    copied = evaluate(probabilities, labels, "ab", np.arange(20) // 2)
    assert copied.top1 == alone.top1
    assert alone.top1_interval == wilson_interval(10, 20)
    assert copied.top1_interval == wilson_interval(5, 10)


def test_copies_that_were_not_asked_about_do_not_count() -> None:
    probabilities, labels = two_classes([0.9] * 4, [True] * 4)
    probabilities[2:] = np.nan
    assert evaluate(probabilities, labels, "ab", np.arange(4)).top1_interval == wilson_interval(
        2, 2
    )


def test_among_equals_the_first_class_wins_as_in_the_confusion() -> None:
    judged = evaluate(np.full((3, 3), 1 / 3), np.array([0, 1, 2]), "abc")
    assert judged.top1 == pytest.approx(1 / 3)
    assert judged.confusion[:, 0].tolist() == [1, 1, 1]


def test_top5_of_few_classes_is_certain() -> None:
    assert evaluate(*two_classes([0.9], [False]), "ab").top5 == 1


def test_to_dict_is_valid_json_even_where_a_share_is_undefined() -> None:
    judged = evaluate(*two_classes([0.9], [True]), ("a", "b"))
    text = json.dumps(judged.to_dict(), allow_nan=False)
    assert json.loads(text)["per_class"][1]["recall"] is None
