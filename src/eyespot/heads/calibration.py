"""Calibration of probabilities by temperature scaling.

Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2:
one number divides all scores, fitted on held-out photos; the order of the classes, and so every
prediction, stays.
"""

import numpy as np

from eyespot.arrays import F32, F64, I64, Floats

COLDEST, HOTTEST = 1e-2, 1e2
"""Bounds of the temperature: without an error, the loss falls with ever lower temperatures."""


def softmax(scores: Floats) -> F64:
    """Probabilities float64 [n, K] from scores [n, K]."""
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    exponents = np.exp(shifted)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def fit_temperature(scores: Floats, labels: I64) -> float:
    """The temperature that minimises the log loss of softmax(scores / T) on held-out photos.

    `scores` [n, K] out of fold, `labels` int64 [n]. The loss is convex in 1/T: at its one
    minimum, the slope is zero. Targets are smoothed by 1 / (n + 2) (Platt 1999, section
    2.2): a handful of photos without an error does not prove certainty.
    """
    count = len(labels)
    if count == 0:
        return 1.0
    scores = scores.astype(np.float64)
    scores = scores - scores.mean(axis=1, keepdims=True)
    true = scores[np.arange(count), labels]
    smooth = 1 / (count + 2)

    def slope(inverse: float) -> float:
        """Derivative of the summed loss by 1/T."""
        probabilities = softmax(scores * inverse)
        expected = (probabilities * scores).sum()
        # Smoothed target: (1 - s) on the actual class, s spread evenly (mean score is zero).
        return float(expected - (1 - smooth) * true.sum())

    low, high = 1 / HOTTEST, 1 / COLDEST
    if slope(low) >= 0:
        return HOTTEST
    if slope(high) <= 0:
        return COLDEST
    from scipy.optimize import brentq  # only training needs it

    return 1 / float(brentq(slope, low, high, rtol=1e-3))


def select_hyperparameter(scores: F32, labels: I64) -> tuple[int, float]:
    """The value with the lowest calibrated log loss; ties go to the stronger regularization."""
    temperatures = [fit_temperature(candidate, labels) for candidate in scores]
    tempered = zip(scores, temperatures, strict=True)
    best = int(np.argmin([log_loss(softmax(s / t), labels) for s, t in tempered]))
    return best, temperatures[best]


def log_loss(probabilities: F64, labels: I64) -> float:
    """Mean of `log_losses`."""
    return float(log_losses(probabilities, labels).mean())


def log_losses(probabilities: F64, labels: I64) -> F64:
    """-log(probability of the actual class) of each photo, in nats [n]; NaN stays NaN."""
    true = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(true, 1e-12)))
