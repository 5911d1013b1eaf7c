"""Tracks: an object of a video is counted once."""

import numpy as np

from eyespot.tasks.detection.prediction import Box, DetectionPrediction
from eyespot.tasks.detection.track import PATIENCE, Tracker


def box(x: float, y: float = 0, label: str = "cell", side: float = 20) -> Box:
    return Box(label, 0.9, x, y, x + side, y + side)


def tracked(frames: list[list[Box]]) -> tuple[list[tuple[int, ...]], dict[str, int]]:
    """The tracks of each frame, and the totals at the end."""
    tracker = Tracker()
    found = [
        tracker.update(DetectionPrediction("frame", tuple(boxes), 200, 200)) for boxes in frames
    ]
    assert [one.number for one in found] == list(range(1, len(frames) + 1))
    return [one.tracks for one in found], found[-1].totals


def test_moving_objects_keep_their_tracks() -> None:
    frames = [[box(5 * t), box(150 - 5 * t, 60)] for t in range(20)]
    random = np.random.default_rng(0)
    shuffled = [[boxes[index] for index in random.permutation(2)] for boxes in frames]
    tracks, totals = tracked(shuffled)
    assert totals == {"cell": 2}
    by_height = {
        (one.ymin, number)
        for boxes, numbers in zip(shuffled, tracks, strict=True)
        for one, number in zip(boxes, numbers, strict=True)
    }
    assert len(by_height) == 2


def test_classes_do_not_share_a_track() -> None:
    tracks, totals = tracked([[box(0), box(2, label="disc")]] * 4)
    assert tracks == [(1, 2)] * 4
    assert totals == {"cell": 1, "disc": 1}


def test_a_gap_is_bridged_and_a_long_one_is_not() -> None:
    seen = [[box(0)]] * 3
    tracks, totals = tracked([*seen, *[[]] * PATIENCE, *seen])
    assert tracks[-1] == (1,)
    assert totals == {"cell": 1}
    tracks, totals = tracked([*seen, *[[]] * (PATIENCE + 1), *seen])
    assert tracks[-1] == (2,)
    assert totals == {"cell": 2}


def test_flicker_is_not_counted() -> None:
    _, totals = tracked([[box(0)], [box(0)], *[[]] * 9, [box(100)]])
    assert totals == {}


def test_the_best_overlap_continues_a_track() -> None:
    tracks, _ = tracked([[box(0), box(14)], [box(8), box(1)]])
    assert tracks == [(1, 2), (2, 1)]
