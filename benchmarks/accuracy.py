"""Top-1 of every method on every set, taught with 1, 5, 20 and all photos of each class.

With few photos: the mean over random draws, judged on all other photos. With all: 5 folds. The
penalty is chosen and the probabilities are calibrated as `eyespot teach` does it.
"""

import argparse

import numpy as np
from measure import SETS, keep, photos

from eyespot.tasks.classification.teach import teach

METHODS = ("auto", "knn", "prototypes", "logistic", "svm")
SIZES = (1, 5, 20)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    table: dict[str, dict[str, dict[str, object]]] = {}
    for name in SETS:
        rows: dict[str, dict[str, object]] = {method: {} for method in METHODS}
        for method in METHODS:
            lesson = teach(photos(name), method=method)
            rows[method]["all"] = {
                "top1": round(lesson.evaluation.top1, 4),
                "interval": [round(end, 4) for end in lesson.evaluation.top1_interval],
                "ece": round(lesson.evaluation.ece, 4),
                "chosen": lesson.method,
            }
            for size in SIZES:
                found = [taught_with(name, size, method, draw) for draw in range(options.draws)]
                mean, spread = float(np.mean(found)), float(np.std(found))
                rows[method][str(size)] = {"top1": round(mean, 4), "spread": round(spread, 4)}
        table[name] = rows
        print(name, rows, flush=True)
    keep("accuracy", {"draws": options.draws, "top1": table})


def taught_with(name: str, size: int, method: str, draw: int) -> float:
    """Share of the other photos that is recognised after `size` photos of each class."""
    from eyespot.data.open import open_photos
    from eyespot.features.cache import FeatureCache
    from eyespot.features.extract import embed

    dataset = open_photos(photos(name))
    rng = np.random.default_rng(draw)
    shuffled = [dataset.photos[i] for i in rng.permutation(len(dataset.photos))]
    taken = dict.fromkeys(dataset.classes, 0)
    known, rest = [], []
    for photo in shuffled:
        few = taken[photo.label or ""] < size
        taken[photo.label or ""] += few
        (known if few else rest).append(photo)
    lesson = teach(type(dataset)(tuple(known), ()), method=method)
    classifier = lesson.classifier
    features, _, _ = embed(rest, classifier.backbone, classifier.engine, FeatureCache())
    probabilities, _ = classifier.score_features(features.values)
    truth = np.array([classifier.classes.index(photo.label or "") for photo in rest])
    return float((probabilities.argmax(axis=1) == truth).mean())


if __name__ == "__main__":
    main()
