"""Detectors of eyespot and of Ultralytics (yolo11n from scratch) on the same photos, by CPU time.

Both are trained on one core on all photos but those of the test split, and their boxes in it are
evaluated by the same AP.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from measure import keep, peer, timed

import eyespot
from eyespot.data.boxes.dataset import BoxDataset
from eyespot.data.boxes.write import write_boxes
from eyespot.evaluation import Detections, Truth, evaluate_detections

TEACH = """
import json, sys, eyespot
result = eyespot.teach(sys.argv[1], task="detect", method=sys.argv[2])
precision = result.evaluation.average_precision
print(json.dumps({"ap50": precision.ap50, "ap": precision.ap}))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="photos with boxes, in splits with a test split")
    parser.add_argument("--peer", required=True, help="Python with ultralytics installed")
    parser.add_argument("--epochs", type=int, nargs="*", default=[2, 15])
    parser.add_argument("--methods", nargs="*", default=["dense", "finetune"])
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    rows: dict[str, Any] = {}
    for method in options.methods:
        rows[f"eyespot {method}"] = taught(options.folder, method)
        print(method, rows[f"eyespot {method}"], flush=True)
    dataset = eyespot.open_boxes(options.folder)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "photos"
        write_boxes(two_splits(dataset), folder, "yolo")
        with (folder / "data.yaml").open("a") as file:
            file.write("val: images/train\n")  # it asks for one, and is told not to use it
        for epochs in options.epochs:
            _, answer = peer(options.peer, "yolo.py", folder, str(epochs), "0")
            row = {"cpu": answer["cpu"], **figures(dataset, answer["found"])}
            rows[f"yolo11n, {epochs} epochs"] = row
            print(epochs, row, flush=True)
    keep("detection_peer", {"rows": rows})


def taught(folder: Path, method: str) -> dict[str, float]:
    """AP of eyespot, and seconds of CPU time of the whole process with an empty cache."""
    before = children()
    with tempfile.TemporaryDirectory() as cache:
        command = [str(Path(sys.executable)), "-c", TEACH, str(folder), method]
        _, output = timed(command, EYESPOT_CACHE=cache)
    found: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    return {"cpu": children() - before, **found}


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def two_splits(dataset: BoxDataset) -> BoxDataset:
    """All photos outside the test split for training."""
    photos = [
        one if one.photo.split == "test" else replace(one, photo=replace(one.photo, split="train"))
        for one in dataset.photos
    ]
    return replace(dataset, photos=tuple(photos))


def figures(dataset: BoxDataset, found: dict[str, Any]) -> dict[str, float]:
    """AP of the boxes found in the photos of the test split, by the names of the files."""
    test = [one for one in dataset.photos if one.photo.split == "test"]
    numbers = {name: number for number, name in enumerate(dataset.classes)}
    truths, detections = [], []
    for one in test:
        labels = np.array([numbers[label] for label in one.labels], np.int64)
        truths.append(Truth(one.boxes, labels, one.ignored))
        detections.append(boxes_of(found[Path(one.photo.name).name]))
    precision = evaluate_detections(truths, detections, len(numbers), resamples=0)
    return {"ap50": precision.average_precision.ap50, "ap": precision.average_precision.ap}


def boxes_of(answer: dict[str, Sequence[Any]]) -> Detections:
    boxes = np.array(answer["boxes"], np.float32).reshape(-1, 4)
    scores = np.array(answer["scores"], np.float32)
    return Detections(boxes, np.array(answer["labels"], np.int64), scores)


if __name__ == "__main__":
    main()
