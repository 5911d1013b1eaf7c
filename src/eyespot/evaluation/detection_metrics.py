"""Metrics of a detector, each with its 95% CI."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np

from eyespot.arrays import F64, I64, Integers
from eyespot.evaluation.average_precision import (
    VOC_POINTS,
    PrecisionRecall,
    average_precision,
    precision_recall,
)
from eyespot.evaluation.bootstrap import RESAMPLES, resample, share_interval
from eyespot.evaluation.boxes import MOST_DETECTIONS, Detections, Truth, check_boxes
from eyespot.evaluation.counts import AtThreshold, Tally, at_threshold, tally, total
from eyespot.evaluation.detection_errors import ap50_gains, find_errors
from eyespot.evaluation.detection_matches import (
    SIZES,
    THRESHOLDS,
    ClassMatches,
    at_half,
    match_detections,
)
from eyespot.evaluation.metrics import (
    Interval,
    ReliabilityBin,
    calibration_error,
    reliability_bins,
)
from eyespot.evaluation.score_thresholds import held_out_thresholds, select_thresholds
from eyespot.shown import Brief


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """COCO's AP over ten IoU thresholds, AP50, AP75, AP of small, medium and large objects, and
    VOC 2007's AP at IoU 0.5 (`voc_ap`): 0..1 with 95% CIs; NaN where there is no such object."""

    ap: float
    ap_interval: Interval
    ap50: float
    ap50_interval: Interval
    ap75: float
    ap75_interval: Interval
    ap_small: float
    ap_small_interval: Interval
    ap_medium: float
    ap_medium_interval: Interval
    ap_large: float
    ap_large_interval: Interval
    voc_ap: float
    voc_ap_interval: Interval


@dataclass(frozen=True, slots=True, eq=False)
class DetectionClassScore:
    """Metrics of one class. `support`: its true boxes that count. `score_threshold`: the least
    score of a detection that is counted."""

    name: str
    support: int
    average_precision: AveragePrecision
    score_threshold: float
    at_threshold: AtThreshold
    curve: PrecisionRecall


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """`count`: errors of this kind at the score thresholds. `ap50_gain`: AP50 that fixing all
    errors of this kind, at any score, would gain; NaN without a true box."""

    kind: str
    count: int
    ap50_gain: float


@dataclass(frozen=True, repr=False)
class DetectionEvaluation(Brief):
    """The result of `evaluate_detections`.

    `count`: photos. `support`: true boxes that count. `average_precision`: means over the classes
    that have a true box. `at_threshold`: all classes together. `ece`, `reliability`: calibration
    of the scores at or above the threshold. `errors`: the six kinds of TIDE, then all false
    positives and all false negatives.
    """

    classes: tuple[str, ...]
    count: int
    support: int
    average_precision: AveragePrecision
    at_threshold: AtThreshold
    ece: float
    reliability: tuple[ReliabilityBin, ...]
    errors: tuple[ErrorKind, ...]
    per_class: tuple[DetectionClassScore, ...]

    def to_metrics(self) -> dict[str, Any]:
        """The metrics that a detector's file keeps: those of all classes together, and AP50 and
        counts of each."""
        plain = self.to_dict()
        kept = ("name", "support", "ap", "ap50", "ap50_interval", "count_mae", "count_mean")
        per_class = [{key: one[key] for key in kept} for one in plain["per_class"]]
        for large in ("classes", "reliability", "per_class"):
            plain.pop(large)
        return {**plain, "per_class": per_class}

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON; undefined metrics and intervals are None."""
        return {
            "classes": list(self.classes),
            "count": self.count,
            "support": self.support,
            **_plain(asdict(self.average_precision)),
            **_plain(asdict(self.at_threshold)),
            "ece": _plain(self.ece),
            "reliability": [_plain(asdict(one)) for one in self.reliability],
            "errors": [_plain(asdict(one)) for one in self.errors],
            "per_class": [_class_to_dict(one) for one in self.per_class],
        }


def evaluate_detections(
    truths: Sequence[Truth],
    detections: Sequence[Detections],
    classes: int,
    *,
    names: Sequence[str] | None = None,
    groups: I64 | None = None,
    score_thresholds: F64 | None = None,
    most: int = MOST_DETECTIONS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> DetectionEvaluation:
    """Compare the detections of P photos, held out or out of fold, with their true boxes.

    `names`: of the classes (default: their numbers). `groups`: int64 [P], equal for
    near-duplicates, which are resampled together. `score_thresholds`: float64 [K], those of a
    finished detector; by default they are selected here, and for measuring them, those of a fifth
    of the photos on the other four fifths. `most`: detections of a class and photo that count.

    Metrics that the photos do not determine are NaN: AP and recall without a true box, precision
    without a detection, intervals with fewer than two photos. Raises UsageError for arrays that
    do not fit together, a label outside the classes, and boxes or scores that are NaN or Inf.
    """
    check_boxes(truths, detections, classes)
    photos = len(truths)
    groups = np.arange(photos) if groups is None else groups
    drawn = resample(groups, resamples, seed)
    matches = match_detections(truths, detections, classes, most=most)
    if score_thresholds is None:
        score_thresholds = select_thresholds(matches)
        thresholds = held_out_thresholds(matches, groups)
    else:
        thresholds = np.broadcast_to(score_thresholds, (photos, classes))
    coco, voc = _resampled_ap(matches, np.concatenate([np.ones((1, photos), np.int32), drawn]))
    tallies = [tally(one, thresholds[:, label]) for label, one in enumerate(matches)]
    everything = total(tallies, photos)
    positives = np.array([one.positives for one in matches]).reshape(classes, len(SIZES), photos)
    reliability = _reliability(matches, thresholds)
    per_class = tuple(
        DetectionClassScore(
            name=names[label] if names is not None else str(label),
            support=int(positives[label, 0].sum()),
            average_precision=_summary(coco[:, label], voc[:, label], positives[label], groups),
            score_threshold=float(score_thresholds[label]),
            at_threshold=at_threshold(tallies[label], drawn, groups),
            curve=precision_recall(matches[label]),
        )
        for label in range(classes)
    )
    return DetectionEvaluation(
        classes=tuple(score.name for score in per_class),
        count=photos,
        support=int(everything.actual.sum()),
        average_precision=_summary(_mean(coco), _mean(voc), positives.sum(axis=0), groups),
        at_threshold=at_threshold(everything, drawn, groups),
        ece=calibration_error(reliability),
        reliability=reliability,
        errors=_errors(truths, detections, matches, thresholds, everything),
        per_class=per_class,
    )


def _resampled_ap(matches: Sequence[ClassMatches], weights: Integers) -> tuple[F64, F64]:
    """COCO's APs [B, K, A, T], and VOC 2007's at IoU 0.5 [B, K]."""
    coco = np.full((len(weights), len(matches), len(SIZES), len(THRESHOLDS)), np.nan)
    voc = np.full(coco.shape[:2], np.nan)
    for label, one in enumerate(matches):
        coco[:, label] = average_precision(one, weights)
        voc[:, label] = average_precision(at_half(one), weights, VOC_POINTS)[:, 0, 0]
    return coco, voc


def _mean(values: F64) -> F64:
    """Mean over the classes [B, K, ...] without NaN; NaN where all are."""
    known = (~np.isnan(values)).sum(axis=1)
    sums = np.nansum(values, axis=1)
    return np.asarray(np.divide(sums, known, out=np.full(sums.shape, np.nan), where=known > 0))


def _summary(coco: F64, voc: F64, positives: I64, groups: I64) -> AveragePrecision:
    """APs with intervals. `coco`: [1 + B, A, T] and `voc`: [1 + B], the actual value before the
    resampled ones. `positives`: [A, P]."""
    independent = [len(np.unique(groups[some > 0])) for some in positives]

    def with_interval(values: F64, size: int = 0) -> tuple[float, Interval]:
        value = float(values[0])
        return value, share_interval(values[1:], value, independent[size])

    every = coco.mean(axis=2)
    return AveragePrecision(
        *with_interval(every[:, 0]),
        *with_interval(coco[:, 0, 0]),
        *with_interval(coco[:, 0, THRESHOLDS.tolist().index(0.75)]),
        *with_interval(every[:, 1], 1),
        *with_interval(every[:, 2], 2),
        *with_interval(every[:, 3], 3),
        *with_interval(voc),
    )


def _reliability(matches: Sequence[ClassMatches], thresholds: F64) -> tuple[ReliabilityBin, ...]:
    """Scores at or above the thresholds [P, K], and whether the detections are correct."""
    scores, hits = [np.zeros(0)], [np.zeros(0, bool)]
    for label, one in enumerate(matches):
        kept = ~one.ignored[0, 0] & (one.scores >= thresholds[one.photo, label])
        scores.append(one.scores[kept])
        hits.append(one.hit[0, 0, kept])
    return reliability_bins(np.concatenate(scores), np.concatenate(hits))


def _errors(
    truths: Sequence[Truth],
    detections: Sequence[Detections],
    matches: Sequence[ClassMatches],
    thresholds: F64,
    boxes: Tally,
) -> tuple[ErrorKind, ...]:
    gains = ap50_gains(truths, matches, find_errors(truths, detections, matches))
    counts = find_errors(truths, detections, matches, thresholds).counts()
    hits = boxes.true_positives.sum()
    counts["false_positives"] = int(boxes.predicted.sum() - hits)
    counts["false_negatives"] = int(boxes.actual.sum() - hits)
    return tuple(ErrorKind(kind, counts[kind], gain) for kind, gain in gains.items())


def _class_to_dict(score: DetectionClassScore) -> dict[str, Any]:
    return {
        "name": score.name,
        "support": score.support,
        **_plain(asdict(score.average_precision)),
        "score_threshold": score.score_threshold,
        **_plain(asdict(score.at_threshold)),
        "curve": {
            "recall": _plain(score.curve.recall.tolist()),
            "precision": _plain(score.curve.precision.tolist()),
            "scores": _plain(score.curve.scores.tolist()),
        },
    }


def _plain(value: Any) -> Any:
    """A value for JSON: None for NaN and for an interval of NaN, lists for tuples."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        items = [_plain(item) for item in value]
        return None if isinstance(value, tuple) and None in items else items
    return None if isinstance(value, float) and isnan(value) else value
