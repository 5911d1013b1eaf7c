"""Average precision against pycocotools, faster-coco-eval, and values by hand."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from eyespot.evaluation.average_precision import (
    VOC_POINTS,
    average_precision,
    precision_recall,
)
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_matches import ClassMatches, match_detections
from tests.evaluation.boxes_for_tests import found, random_photos, truth

BOX, FAR = [0, 0, 10, 10], [50, 50, 60, 60]


def once(matches: ClassMatches, points: int = 101) -> np.ndarray:
    weights = np.ones((1, matches.positives.shape[1]), np.int64)
    return np.asarray(average_precision(matches, weights, points)[0])


def coco_json(
    truths: Sequence[Truth], detections: Sequence[Detections], classes: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    annotations: list[dict[str, Any]] = []
    results = []
    for photo, (true, detected) in enumerate(zip(truths, detections, strict=True)):
        for (x, y, x2, y2), label, ignored in zip(
            true.boxes.tolist(), true.labels.tolist(), true.ignored.tolist(), strict=True
        ):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": photo,
                    "category_id": label,
                    "bbox": [x, y, x2 - x, y2 - y],
                    "area": (x2 - x) * (y2 - y),
                    "iscrowd": int(ignored),
                }
            )
        for (x, y, x2, y2), label, score in zip(
            detected.boxes.tolist(), detected.labels.tolist(), detected.scores.tolist(), strict=True
        ):
            box = [x, y, x2 - x, y2 - y]
            results.append({"image_id": photo, "category_id": label, "bbox": box, "score": score})
    photos = [{"id": photo} for photo in range(len(truths))]
    categories = [{"id": label, "name": str(label)} for label in range(classes)]
    dataset = {"info": {}, "images": photos, "annotations": annotations, "categories": categories}
    return dataset, results


def evaluated(coco: Any, evaluator: Any, data: tuple[dict[str, Any], Any], most: int) -> Any:
    """`eval` of a COCO evaluator: precision [T, 101, K, A, 1] and scores."""
    with contextlib.redirect_stdout(io.StringIO()):
        reference = coco()
        reference.dataset = data[0]
        reference.createIndex()
        run = evaluator(reference, reference.loadRes(data[1]), "bbox")
        run.params.maxDets = [most]
        run.evaluate()
        run.accumulate()
    return run.eval


@pytest.mark.parametrize("most", [100, 2])
@pytest.mark.parametrize("seed", range(6))
def test_equals_pycocotools(seed: int, most: int) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    truths, detections = random_photos(seed)
    data = coco_json(truths, detections, 4)
    expected = evaluated(coco.COCO, cocoeval.COCOeval, data, most)
    precision, scores = expected["precision"][..., 0], expected["scores"][0, :, :, 0, 0]
    for label, matches in enumerate(match_detections(truths, detections, 4, most=most)):
        reference = precision[:, :, label].mean(axis=1).T
        defined = np.where(reference < 0, np.nan, reference)
        np.testing.assert_allclose(once(matches), defined, rtol=0, atol=1e-9)
        if label == 3:
            assert np.isnan(once(matches)).all()  # no true box; pycocotools has -1
            continue
        curve = precision_recall(matches)
        np.testing.assert_allclose(curve.precision, precision[0, :, label, 0], rtol=0, atol=1e-9)
        np.testing.assert_array_equal(np.nan_to_num(curve.scores), scores[:, label])


@pytest.mark.parametrize("seed", range(3))
def test_equals_faster_coco_eval(seed: int) -> None:
    faster = pytest.importorskip("faster_coco_eval")
    truths, detections = random_photos(seed)
    data = coco_json(truths, detections, 4)
    precision = evaluated(faster.COCO, faster.COCOeval_faster, data, 100)["precision"][..., 0]
    for label, matches in enumerate(match_detections(truths, detections, 4)):
        reference = precision[:, :, label].mean(axis=1).T
        defined = np.where(reference < 0, np.nan, reference)
        np.testing.assert_allclose(once(matches), defined, rtol=0, atol=1e-9)


def test_the_interpolated_precision_by_hand() -> None:
    truths = [truth([BOX, FAR])]
    detections = [found([BOX, [20, 20, 30, 30], FAR], [0.9, 0.8, 0.7])]
    (matches,) = match_detections(truths, detections, 1)
    # Precision 1 up to recall 1/2 (51 points), then 2/3 (50 points); of VOC's 11 points, 6 and 5.
    assert once(matches)[0, 0] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert once(matches, VOC_POINTS)[0, 0] == pytest.approx((6 + 5 * 2 / 3) / 11)


def voc_2007(hit: Sequence[bool], positives: int) -> float:
    """Section 4.2 of Everingham et al. 2010, literally."""
    true = np.cumsum(hit)
    recall, precision = true / positives, true / np.arange(1, len(hit) + 1)
    highest = [precision[recall >= at].max(initial=0) for at in np.linspace(0, 1, VOC_POINTS)]
    return float(np.mean(highest))


@pytest.mark.parametrize("seed", range(5))
def test_eleven_points_equal_the_definition(seed: int) -> None:
    truths, detections = random_photos(seed, ignored=0)
    for matches in match_detections(truths, detections, 4)[:3]:
        expected = voc_2007(matches.hit[0, 0].tolist(), int(matches.positives[0].sum()))
        assert once(matches, VOC_POINTS)[0, 0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_photo_with_weight_2_counts_as_two_photos(seed: int) -> None:
    truths, detections = random_photos(seed, photos=12)
    weights = np.random.default_rng(seed).integers(0, 3, len(truths))
    order = np.repeat(np.arange(len(truths)), weights)
    drawn = [truths[photo] for photo in order], [detections[photo] for photo in order]
    # Duplicates of a photo tie with each other; distinct scores avoid that their order matters.
    rng = np.random.default_rng(seed)
    for one in detections:
        one.scores[:] = rng.random(len(one.scores))
    for matches, repeated in zip(
        match_detections(truths, detections, 4), match_detections(*drawn, 4), strict=True
    ):
        both = average_precision(matches, np.stack([weights, np.ones_like(weights)]))
        np.testing.assert_allclose(both[0], once(repeated), rtol=0, atol=1e-9)
        np.testing.assert_allclose(both[1], once(matches), rtol=0, atol=1e-9)


def test_without_a_detection_ap_is_0_and_without_a_true_box_undefined() -> None:
    (matches,) = match_detections([truth([BOX])], [found([], [])], 1)
    assert once(matches)[0, 0] == 0
    assert precision_recall(matches).precision.tolist() == [0] * 101
    (matches,) = match_detections([truth([])], [found([BOX], [0.9])], 1)
    assert np.isnan(once(matches)).all()
    assert np.isnan(precision_recall(matches).precision).all()


def test_only_the_best_detections_of_a_photo_count() -> None:
    truths, detections = [truth([BOX])], [found([FAR, BOX], [0.9, 0.8])]
    (one,), (both,) = (match_detections(truths, detections, 1, most=most) for most in (1, 2))
    assert (once(one)[0, 0], once(both)[0, 0]) == (0, 0.5)
