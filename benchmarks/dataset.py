"""What `eyespot explain dataset` finds, where it is known what there is to find.

Groups: how far they agree with the labels, which they have not seen (adjusted Rand index: 1 the
same division, 0 chance). Labels: 5 % of them are made wrong before anything looks at the photos;
how many are suspected, and how many of the label issues are about them. Outliers: photos of
ImageNet
are put among the others; how many are found, and how many of those found are these.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from measure import SETS, keep, photos

from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.evaluation import wilson_interval
from eyespot.evaluation.clusters import principal_components
from eyespot.evaluation.label_issues import PlantedTest, measure_planted, plant_wrong_labels
from eyespot.review.review import PLANTED_SHARE, Review, review

STRANGERS = 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--sets", nargs="+", default=SETS)
    options = parser.parse_args()
    table: dict[str, dict[str, object]] = {}
    tests: list[PlantedTest] = []
    for name in options.sets:
        dataset = open_photos(photos(name))
        review(dataset)  # features come from the cache from here on
        own = [planted(dataset, draw) for draw in range(options.draws)]
        tests += own
        table[name] = {**as_it_is(dataset), "planted": figures(own), "strangers": strangers(name)}
        print(name, table[name], flush=True)
    table["all"] = {"planted": figures(tests)}
    keep("dataset", {"draws": options.draws, "share": PLANTED_SHARE, "sets": table})


def as_it_is(dataset: Dataset) -> dict[str, object]:
    from sklearn.metrics import adjusted_rand_score

    start = time.perf_counter()
    found = review(dataset)
    seconds = time.perf_counter() - start
    assert found.check is not None
    own = found.check.planted
    return {
        "photos": len(found.photos),
        "classes": len(found.classes),
        "groups": len(found.clusters.members),
        "adjusted_rand": round(float(adjusted_rand_score(found.labels, found.clusters.of)), 3),
        "silhouette": round(found.clusters.silhouette, 3),
        "hdbscan": by_density(found),
        "suspicious_as_it_is": len(found.check.label_issues),
        "self_test": None if own is None else figures([own]),
        "outliers": len(found.outliers),
        "seconds": round(seconds, 1),
    }


def by_density(found: Review) -> list[dict[str, float]]:
    """What HDBSCAN makes of the same features, with several settings."""
    from sklearn.cluster import HDBSCAN
    from sklearn.metrics import adjusted_rand_score

    places = principal_components(found.last)
    count, rows = len(places), []
    for least in (5, 10, count // 50, count // 25):
        for method in ("eom", "leaf"):
            model = HDBSCAN(
                min_cluster_size=least,
                min_samples=5,
                cluster_selection_method=method,
                copy=True,
            )
            group = model.fit_predict(places)
            index = float(adjusted_rand_score(found.labels, group))
            in_none = float((group < 0).mean())
            rows.append({"adjusted_rand": round(index, 3), "in_no_group": round(in_none, 3)})
    return rows


def planted(dataset: Dataset, draw: int) -> PlantedTest:
    """The whole review of photos of which some labels are wrong."""
    names = dataset.classes
    labels = np.array([names.index(photo.label or "") for photo in dataset.photos])
    wrong = plant_wrong_labels(labels, len(names), PLANTED_SHARE, seed=100 + draw)
    changed = tuple(
        replace(photo, label=names[label])
        for photo, label in zip(dataset.photos, wrong, strict=True)
    )
    found = review(Dataset(changed))
    assert found.check is not None
    place = {photo.name: index for index, photo in enumerate(dataset.photos)}
    kept = [place[name] for name in found.features.names]
    return measure_planted(found.check.label_issues, labels[kept], wrong[kept])


def figures(tests: list[PlantedTest]) -> dict[str, object]:
    """Of all tests together."""
    wrong, hits = sum(test.planted for test in tests), sum(test.found for test in tests)
    said, fixed = sum(test.reported for test in tests), sum(test.corrected for test in tests)
    return {
        "planted": wrong,
        "found": hits,
        "suspected": said,
        "recall": share(hits, wrong),
        "precision": share(hits, said),
        "suggested_right": share(fixed, hits),
    }


def share(part: int, whole: int) -> list[float]:
    """A share, and its 95 % interval."""
    low, high = wilson_interval(part, whole)
    return [round(part / whole if whole else float("nan"), 3), round(low, 3), round(high, 3)]


def strangers(name: str) -> dict[str, object]:
    """Photos of ImageNet among those of a set."""
    folder = photos(name).parent.parent / "imagenet-sample-200"
    files = sorted(folder.rglob("*.JPEG")) or sorted(folder.rglob("*.jpg"))
    if not files:
        return {"left_out": f"no photos at {folder.name}"}
    picked = np.random.default_rng(0).permutation(len(files))[:STRANGERS]
    dataset = open_photos(photos(name))
    others = open_photos([files[i] for i in picked], ["stranger"] * len(picked), least_classes=1)
    unlabelled = tuple(replace(p, label=None) for p in (*dataset.photos, *others.photos))
    found = review(Dataset(unlabelled))
    new = {photo.name for photo in others.photos}
    hits = sum(found.features.names[index] in new for index in found.outliers)
    return {
        "added": len(picked),
        "recall": share(hits, len(picked)),
        "precision": share(hits, len(found.outliers)),
    }


if __name__ == "__main__":
    main()
