"""How many objects proposals find: the recall, by their number."""

from collections.abc import Sequence

import numpy as np

from eyespot.arrays import F32, F64
from eyespot.evaluation.boxes import iou


def proposal_recall(
    truths: Sequence[F32],
    proposals: Sequence[F32],
    counts: Sequence[int],
    overlaps: Sequence[float] = (0.5, 0.7),
) -> F64:
    """The share of objects that one of the first proposals overlaps enough: [overlaps, counts].

    `truths`, `proposals`: of each photo the objects' boxes [n, 4] and the proposals [m, 4], the
    best first. `counts`: proposals of a photo, 1 or more each. `overlaps`: intersections over
    union. NaN without objects. Hosang et al., "What Makes for Effective Detection Proposals?",
    TPAMI 2016, section 4.
    """
    best = [np.zeros((0, len(counts)))]
    for boxes, proposed in zip(truths, proposals, strict=True):
        found = iou(boxes, proposed)
        # Of an object, the largest overlap with the first 0, 1, 2, ... proposals.
        largest = np.maximum.accumulate(np.pad(found, ((0, 0), (1, 0))), axis=1)
        best.append(largest[:, np.minimum(counts, len(proposed))])
    reached = np.concatenate(best) >= np.asarray(overlaps)[:, None, None]
    if not reached.shape[1]:
        return np.full((len(overlaps), len(counts)), np.nan)
    return np.asarray(reached.mean(1))
