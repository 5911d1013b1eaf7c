"""Parts of Fast R-CNN on frozen maps: number and kind of proposals, softmax against SVM.

After sections 5.4 and 5.5 of Girshick, "Fast R-CNN", ICCV 2015: one head is trained on the training
split of a folder of boxes, and its parts are replaced on the test split.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from measure import keep
from torch import Tensor

from eyespot.data.boxes.open import open_boxes
from eyespot.data.decode import decode
from eyespot.evaluation import Detections, evaluate_detections
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.dense import pyramid
from eyespot.tasks.detection import fast_rcnn
from eyespot.tasks.detection.box_coding import iou
from eyespot.tasks.detection.embed import Embedded, embed_photos
from eyespot.tasks.detection.engine import maps_engine
from eyespot.tasks.detection.fast_rcnn_head import FastRCNNHead
from eyespot.tasks.detection.frame import input_scale
from eyespot.tasks.detection.method import Plan
from eyespot.tasks.detection.out_of_fold import truth_of
from eyespot.tasks.detection.proposal_recall import proposal_recall
from eyespot.tasks.detection.selective_search import selective_search

COUNTS = (25, 50, 100, 200, 300)
FAR = 0.3
"""Overlap below which a proposal is background for the SVM (section 5.4 of the paper)."""
Score = Callable[[Tensor], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="photos with boxes, in splits with a test split")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    photos, backbone, classes = embedded(options.folder)
    test = [one for one in photos if one.photo.photo.split == "test"]
    training = [one for one in photos if one.photo.photo.split != "test"]
    searched = [scaled(one, selective_search(pixels_of(one), max(COUNTS))) for one in test]
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(options.seeds):
        plan = Plan(fast_rcnn.WIDTH, options.steps, fast_rcnn.BATCH, seed)
        head = fast_rcnn.fit(training, backbone, classes, plan).head
        assert isinstance(head, FastRCNNHead)
        proposed = [proposals_of(head, one, max(COUNTS)) for one in test]
        for name, rois in (("RPN", proposed), ("selective search", searched)):
            for count in COUNTS:
                found = detected(head, test, [some[:count] for some in rois], softmax(head))
                row = {**figures(test, found, classes), **recall(test, rois, count)}
                rows.setdefault(f"{name}, {count} proposals", []).append(row)
        rois = [some[: head.proposals] for some in proposed]
        found = detected(head, test, rois, svm(head, training, classes))
        rows.setdefault("SVM, RPN", []).append(figures(test, found, classes))
        for name, found_rows in rows.items():
            print(name, found_rows[-1], flush=True)
    keep("detection_ablation", {"steps": options.steps, "rows": rows})


def embedded(folder: Path) -> tuple[list[Embedded], Backbone, int]:
    dataset = open_boxes(folder)
    backbone = load_backbone("efficientnet_lite0")
    stages, channels = pyramid(backbone)
    backbone = replace(backbone, blocks=tuple(f"{stage}.map" for stage in stages))
    photos, _ = embed_photos(
        dataset.photos,
        dataset.classes,
        maps_engine(backbone),
        channels,
        mirror=True,
        cache=FeatureCache(),
        progress=lambda done: None,
    )
    return photos, backbone, len(dataset.classes)


def pixels_of(photo: Embedded) -> np.ndarray:
    return np.asarray(decode(photo.photo.photo.read()).pixels)


def scaled(photo: Embedded, boxes: np.ndarray) -> Tensor:
    return torch.from_numpy((boxes * input_scale(photo.width, photo.height)).astype(np.float32))


def trunk_of(head: FastRCNNHead, photo: Embedded) -> Tensor:
    maps = photo.views[0].maps
    trunk: Tensor = head.trunk([torch.from_numpy(one[None].astype(np.float32)) for one in maps])
    return trunk


@torch.inference_mode()
def proposals_of(head: FastRCNNHead, photo: Embedded, most: int) -> Tensor:
    before, head.proposals = head.proposals, most
    (boxes,) = head.propose(trunk_of(head, photo))
    head.proposals = before
    return boxes[(boxes[:, 2:] > boxes[:, :2]).all(1)]


def softmax(head: FastRCNNHead) -> Score:
    return lambda features: head.classes(features).numpy()


def svm(head: FastRCNNHead, photos: list[Embedded], classes: int) -> Score:
    """Linear SVMs on fc7: annotated boxes against proposals far from those of the class. The
    scores stand in the place of logits, with 0 for the background."""
    from sklearn.svm import LinearSVC

    features, targets = [], []
    for photo in photos:
        view = photo.views[0]
        boxes, labels = torch.from_numpy(view.boxes), torch.from_numpy(view.labels)
        with torch.inference_mode():
            rois = torch.cat([boxes, proposals_of(head, photo, head.proposals)])
            features.append(head.features(trunk_of(head, photo), rois).numpy())
        shared = iou(rois, boxes)
        target = np.zeros((len(rois), classes), np.int8)
        for label in range(classes):
            near = (shared[:, labels == label] >= FAR).any(1)
            target[:, label] = np.where(near, 0, -1)
        target[np.arange(len(boxes)), view.labels] = 1
        targets.append(target)
    values, target = np.concatenate(features), np.concatenate(targets)
    machines = []
    for label in range(classes):
        used = target[:, label] != 0
        machine = LinearSVC(C=0.01, random_state=0)
        machines.append(machine.fit(values[used], target[used, label]))

    def score(found: Tensor) -> np.ndarray:
        columns = [one.decision_function(found.numpy()) for one in machines]
        return np.stack([np.zeros(len(found)), *columns], axis=1)

    return score


@torch.inference_mode()
def detected(
    head: FastRCNNHead, photos: list[Embedded], rois: list[Tensor], score: Score
) -> list[Detections]:
    found = []
    for photo, some in zip(photos, rois, strict=True):
        features = head.features(trunk_of(head, photo), some)
        one = fast_rcnn.detections(score(features), head.boxes(features, some).numpy())
        boxes = (one.boxes / input_scale(photo.width, photo.height)).astype(np.float32)
        found.append(Detections(boxes, one.labels, one.scores.astype(np.float32)))
    return found


def figures(photos: list[Embedded], found: list[Detections], classes: int) -> dict[str, float]:
    truths = [truth_of(one) for one in photos]
    precision = evaluate_detections(truths, found, classes, resamples=0).average_precision
    return {"ap50": round(precision.ap50, 4), "ap": round(precision.ap, 4)}


def recall(photos: list[Embedded], rois: list[Tensor], count: int) -> dict[str, float]:
    truths = [one.views[0].boxes for one in photos]
    shares = proposal_recall(truths, [one.numpy() for one in rois], [count])
    return {"recall_50": round(float(shares[0, 0]), 4), "recall_70": round(float(shares[1, 0]), 4)}


if __name__ == "__main__":
    main()
