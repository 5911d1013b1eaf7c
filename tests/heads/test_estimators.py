import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from eyespot.heads.estimators import (
    Head,
    LinearSVMHead,
    LogisticHead,
    NearestNeighboursHead,
    PrototypesHead,
)

HEADS = [LogisticHead(), LinearSVMHead(), NearestNeighboursHead(), PrototypesHead()]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(HEADS)
def test_scikit_learn_contract(estimator: Head, check) -> None:
    check(estimator)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)
def test_scanned_digits(head: Head) -> None:
    digits, names = load_digits(return_X_y=True)
    x, new, y, truth = train_test_split(digits, names, test_size=0.5, random_state=0)
    head.fit(x, y)
    least = 0.85 if isinstance(head, PrototypesHead) else 0.93
    assert head.score(new, truth) > least
    probabilities = head.predict_proba(new)
    confidence = probabilities.max(axis=1).mean()
    assert confidence == pytest.approx(head.score(new, truth), abs=0.04)  # calibrated
    assert log_loss(truth, probabilities) < 0.6


def test_the_hyperparameter_is_respected() -> None:
    digits, names = load_digits(return_X_y=True)
    assert LogisticHead(l2=0.5).fit(digits, names).hyperparameter_ == 0.5
    assert NearestNeighboursHead(n_neighbors=7).fit(digits, names).hyperparameter_ == 7
    loose = LogisticHead(l2=1e-5).fit(digits, names).scorer_.scores(digits.astype(np.float32))
    strict = LogisticHead(l2=1.0).fit(digits, names).scorer_.scores(digits.astype(np.float32))
    assert np.abs(loose).mean() > 3 * np.abs(strict).mean()
