"""How long linear heads take, and how much memory, on features made up with a fixed seed."""

import resource
import time

import numpy as np
from measure import keep, summary

from eyespot.data.splits import fold_of, folds
from eyespot.evaluation.crossval import cross_validate
from eyespot.heads import make_method


def features(count: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Clusters that overlap, rectified as a network's last layer is."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, count)
    values = rng.standard_normal((count, width), dtype=np.float32)
    values += rng.standard_normal((classes, width), dtype=np.float32)[labels] * 0.12
    return np.maximum(values, 0, out=values), labels


def main() -> None:
    found: dict[str, list[float]] = {}
    values, labels = features(2_400, 1280, 6)
    fold = fold_of(labels, np.arange(len(labels)), 5)
    for _ in range(5):
        for name in ("logistic", "svm"):
            method = make_method(name)
            start = time.perf_counter()
            prepared = method.prepare(values)
            chosen = cross_validate(
                prepared, labels, 6, [folds(fold)], fold, method.hyperparameters
            )
            prepared.fit(labels, 6, chosen.hyperparameter)
            seconds = time.perf_counter() - start
            found.setdefault(f"{name}: penalty, 5 folds, head; 2,400 x 1280, 6", []).append(seconds)
        seconds = one_value_with_scikit_learn(values, labels)
        found.setdefault("scikit-learn: one value, 5 folds; 2,400 x 1280, 6", []).append(seconds)
    values, labels = features(100_000, 1280, 100)
    for name, penalty in (("logistic", 1e-4), ("svm", 1e-3)):
        start = time.perf_counter()
        make_method(name).prepare(values).fit(labels, 100, penalty)
        found[f"{name}: head at {penalty:g}; 100,000 x 1280, 100"] = [time.perf_counter() - start]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    seconds_of = {name: summary(seconds) for name, seconds in found.items()}
    keep("heads", {"seconds": seconds_of, "peak memory GB": round(peak, 2)})


def one_value_with_scikit_learn(values: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    start = time.perf_counter()
    cross_val_score(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), values, labels, cv=5
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
