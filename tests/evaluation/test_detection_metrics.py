"""The evaluation of a detector as a whole, also of photos that determine little."""

import json
import math

import numpy as np
import pytest

from eyespot.errors import UsageError
from eyespot.evaluation.detection_metrics import evaluate_detections
from tests.evaluation.boxes_for_tests import found, random_photos, truth

BOX, FAR = [0, 0, 10, 10], [50, 50, 60, 60]
NAMES = ("cat", "dog", "owl", "yak")


def test_metrics_of_photos_with_a_few_errors() -> None:
    truths, detections = random_photos(0)
    evaluation = evaluate_detections(truths, detections, 4, names=NAMES, resamples=100)
    total = evaluation.average_precision
    assert evaluation.count == 30
    assert evaluation.support == sum(int((~one.ignored).sum()) for one in truths)
    assert [score.name for score in evaluation.per_class] == list(NAMES)
    known = [score.average_precision.ap50 for score in evaluation.per_class[:3]]
    assert total.ap50 == pytest.approx(np.mean(known))  # the class without a true box is left out
    assert total.ap < total.ap50 > total.ap75
    for low, high in (total.ap_interval, total.ap50_interval, total.ap75_interval):
        assert 0 <= low < high <= 1
    assert total.ap50_interval[0] <= total.ap50 <= total.ap50_interval[1]
    assert sum(s.support for s in evaluation.per_class) == evaluation.support
    errors = {one.kind: one for one in evaluation.errors}
    kinds = list(errors)[:5]
    assert errors["false_positives"].count == sum(errors[kind].count for kind in kinds)
    recall = 1 - errors["false_negatives"].count / evaluation.support
    assert evaluation.at_threshold.recall == pytest.approx(recall)
    assert sum(one.count for one in evaluation.reliability) > 0


def test_the_dict_is_json_with_none_for_undefined_metrics() -> None:
    truths, detections = random_photos(0, photos=8)
    evaluation = evaluate_detections(truths, detections, 4, names=NAMES, resamples=20)
    plain = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert plain["ap50"] == evaluation.average_precision.ap50
    assert plain["ap50_interval"] == list(evaluation.average_precision.ap50_interval)
    absent = plain["per_class"][3]
    assert absent["name"] == "yak"
    undefined = ("ap", "ap_interval", "ap50", "voc_ap", "recall", "recall_interval")
    assert [absent[key] for key in undefined] == [None] * len(undefined)
    assert absent["count_mae"] is not None  # detections of a class that no photo has
    assert absent["curve"]["precision"] == [None] * 101
    assert {row["kind"] for row in plain["errors"]} >= {"missed", "false_positives"}


def test_a_detector_without_an_error_is_not_certain() -> None:
    truths, detections = [truth([BOX])] * 10, [found([BOX], [0.9])] * 10
    total = evaluate_detections(truths, detections, 1, resamples=20).average_precision
    assert total.ap == 1
    assert total.ap_interval == pytest.approx((0.722, 1), abs=1e-3)
    assert math.isnan(total.ap_large)


def test_near_duplicates_widen_the_intervals() -> None:
    truths, detections = random_photos(1, photos=20)
    groups = np.tile(np.arange(20), 3)
    alone = evaluate_detections(truths * 3, detections * 3, 4, resamples=200)
    together = evaluate_detections(truths * 3, detections * 3, 4, groups=groups, resamples=200)
    widths = [np.diff(e.average_precision.ap50_interval)[0] for e in (alone, together)]
    assert alone.average_precision.ap50 == together.average_precision.ap50
    assert widths[1] > 1.4 * widths[0]


def test_given_thresholds_are_used_for_all_photos() -> None:
    truths = [truth([BOX, FAR])] * 4
    detections = [found([BOX, FAR], [0.9, 0.4])] * 4
    kept = evaluate_detections(truths, detections, 1, score_thresholds=np.array([0.5]))
    assert kept.per_class[0].score_threshold == 0.5
    assert (kept.at_threshold.recall, kept.at_threshold.count_bias) == (0.5, -1)
    assert evaluate_detections(truths, detections, 1).at_threshold.recall == 1


def test_no_true_box() -> None:
    evaluation = evaluate_detections([truth([])] * 3, [found([BOX], [0.9])] * 3, 2)
    assert math.isnan(evaluation.average_precision.ap)
    assert math.isnan(evaluation.at_threshold.recall)
    assert evaluation.at_threshold.precision == 0
    assert evaluation.to_dict()["ap_interval"] is None


def test_no_detection() -> None:
    evaluation = evaluate_detections([truth([BOX])] * 3, [found([], [])] * 3, 1)
    assert evaluation.average_precision.ap == 0  # measured: every object is missed
    assert evaluation.at_threshold.recall == 0
    assert math.isnan(evaluation.at_threshold.precision)
    assert math.isnan(evaluation.ece)
    assert evaluation.at_threshold.count_mae == 1
    plain = evaluation.to_dict()
    assert (plain["ece"], plain["precision"], plain["precision_interval"]) == (None, None, None)


def test_one_photo_has_metrics_without_intervals() -> None:
    plain = evaluate_detections([truth([BOX])], [found([BOX], [0.9])], 1).to_dict()
    assert (plain["ap"], plain["recall"], plain["count_mae"]) == (1, 1, 0)
    assert [plain[f"{key}_interval"] for key in ("ap", "recall", "count_mae")] == [None] * 3


def test_no_photo_and_no_class() -> None:
    for classes in (0, 2):
        plain = evaluate_detections([], [], classes).to_dict()
        assert (plain["count"], plain["ap"], plain["recall"]) == (0, None, None)
        assert plain["count_mae"] is None


def test_nan_boxes_are_an_error() -> None:
    with pytest.raises(UsageError, match="photo 1 contain NaN"):
        evaluate_detections(
            [truth([BOX])] * 2, [found([BOX], [0.9]), found([[0, 0, 1, float("nan")]], [0.9])], 1
        )
