"""Detectors by seed: on the given split, of few photos, fine-tuned, in folds; and their speed."""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from detection_ablation import embedded
from measure import keep

import eyespot
from eyespot.evaluation import evaluate_detections
from eyespot.tasks.detection import dense, finetune
from eyespot.tasks.detection.out_of_fold import Folds, TrainingPhotos, detect_held_out

FEW = 20
FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="photos with boxes, in splits with a test split")
    parser.add_argument("folds", type=Path, help="photos with boxes, without splits")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tuned-seeds", type=int, default=1)
    options = parser.parse_args()
    results: dict[str, list[dict[str, float]]] = {}
    photos, backbone, classes = embedded(options.folder)
    is_test = np.array([one.photo.photo.split == "test" for one in photos])
    test, training = np.flatnonzero(is_test), np.flatnonzero(~is_test)
    split = TrainingPhotos(photos, backbone, classes)
    for seed in range(options.seeds):
        few = np.random.default_rng(seed).choice(training, FEW, replace=False)
        for name, chosen in (("split", training), (f"{FEW} photos", few)):
            for method in (dense, finetune)[: 2 if seed < options.tuned_seeds else 1]:
                row = figures(split, ((chosen, test),), seed, method)
                results.setdefault(f"{name}, {method.WORDS}", []).append(row)
                print(name, method.WORDS, row, flush=True)
    photos, backbone, classes = embedded(options.folds)
    order = np.random.default_rng(0).permutation(len(photos))
    folds = [(np.setdiff1d(order, order[n::FOLDS]), order[n::FOLDS]) for n in range(FOLDS)]
    row = figures(TrainingPhotos(photos, backbone, classes), folds, 0, dense)
    results[f"{FOLDS} folds"] = [row]
    print(f"{FOLDS} folds", row, flush=True)
    results["speed"] = [speed(options.folder) for _ in range(options.seeds)]
    print("speed", results["speed"], flush=True)
    keep("detection", results)


def figures(photos: TrainingPhotos, folds: Folds, seed: int, method: Any) -> dict[str, float]:
    """AP and AP50 on the held-out photos, and seconds of training and detection."""
    seeded: Any = SimpleNamespace(
        plan_for=lambda count: replace(method.plan_for(count), seed=seed),
        fit=method.fit,
        detections=method.detections,
    )
    start = time.perf_counter()
    found = detect_held_out(photos, folds, seeded, lambda done: None)
    seconds = time.perf_counter() - start
    held = evaluate_detections(found.truths, found.detections, photos.classes, resamples=0)
    precision = held.average_precision
    by_class = {f"ap50 of {one.name}": one.average_precision.ap50 for one in held.per_class}
    return {"ap50": precision.ap50, "ap": precision.ap, **by_class, "seconds": seconds}


def speed(folder: Path) -> dict[str, float]:
    """Photos per second from disk, by a detector of a few photos; the first ones are not timed."""
    dataset = eyespot.open_boxes(folder)
    few = replace(dataset, photos=dataset.photos[:6])
    detector = eyespot.teach(few, task="detect").detector
    paths = [one.photo for one in dataset.photos]
    list(detector.predict_batch(paths[:8]))
    start = time.perf_counter()
    count = sum(1 for _ in detector.predict_batch(paths[8:]))
    return {"photos per second": count / (time.perf_counter() - start)}


if __name__ == "__main__":
    main()
