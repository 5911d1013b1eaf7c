"""Features in the eigenbasis of their covariance, shared by linear heads on the same photos.

The basis depends on no label, fold, loss or penalty, and has at most min(n, d) dimensions.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from eyespot.arrays import Floats
from eyespot.heads.standardise import standardisation


class Eigenbasis:
    """Features [n, d], standardised and rotated: `coordinates` float32 [n, r], `variance` [r].

    `most`: if min(n, d) is larger, the basis is that of `most` photos drawn at random (Nystroem's
    method: Williams and Seeger, NIPS 2000). It spans nearly all of the variance, in
    seconds instead of minutes.
    """

    def __init__(
        self, features: Floats, block_widths: Sequence[int] | None = None, most: int | None = None
    ) -> None:
        self.mean, self.scale = standardisation(features, block_widths)
        count, width = features.shape
        if width <= min(count, most or width):
            self.variance, axes = _principal(_covariance(features, self.mean, self.scale))
            self._factors: list[Floats] = [self.scale[:, None] * axes]
            self.coordinates = self._rotated(features)
            return
        rows = features
        if most is not None and count > most:
            rows = features[np.random.default_rng(0).choice(count, most, replace=False)]
        centred = (rows - self.mean) * self.scale
        variance, axes = _principal(centred @ centred.T / len(rows))
        lengths = np.sqrt(variance * len(rows))
        self._factors = [(centred * self.scale).T, axes / lengths]
        if rows is features:
            self.coordinates, self.variance = axes * lengths, variance
        else:
            self._factors = [self._factors[0] @ self._factors[1]]
            self.coordinates = self._rotated(features)
            self.variance = self.coordinates.var(axis=0)

    def fold(self, weights: Floats) -> Floats:
        """Weights [d, K] for centred features, from weights [r, K] for their coordinates."""
        for factor in reversed(self._factors):  # their product would be wide
            weights = factor @ weights
        return weights

    def _rotated(self, features: Floats) -> Floats:
        (basis,) = self._factors
        rotated = features @ basis
        rotated -= self.mean @ basis
        return rotated


def _covariance(features: Floats, mean: Floats, scale: Floats) -> Floats:
    """Covariance [d, d] of the standardised features, without a standardised copy of them."""
    total = np.zeros((features.shape[1],) * 2, dtype=np.float64)
    for start in range(0, len(features), 8192):
        part = features[start : start + 8192] - mean
        total += part.T @ part
    return (total * np.outer(scale, scale) / len(features)).astype(np.float32)


def _principal(symmetric: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues [r] and eigenvectors [m, r], without those lost in rounding."""
    values, vectors = eigh(symmetric, driver="evd", overwrite_a=True, check_finite=False)
    kept = values > max(values[-1], 0) * 1e-6
    return values[kept], vectors[:, kept]
