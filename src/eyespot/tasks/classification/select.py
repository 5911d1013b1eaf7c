"""Step 4 of `teach`: cross-validate the candidates and select one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation.crossval import nested_selection
from eyespot.shown import Brief
from eyespot.tasks.classification.audit import AuditedPhotos
from eyespot.tasks.classification.cross_validate import (
    CandidateResult,
    Omitted,
    ValidatedCandidate,
    ValidatedHead,
    cross_validate_heads,
)
from eyespot.tasks.classification.options import TeachOptions
from eyespot.tasks.classification.policy import (
    LIKE_IMAGENET,
    Candidate,
    candidates,
    finetuning_candidates,
    similarity,
)
from eyespot.tasks.classification.split import Split, TrainingSet


@dataclass(frozen=True, repr=False)
class Selection(Brief):
    """The selected candidate, and how it was selected.

    `results`: each candidate alone. `probabilities`: float64 [n, K] of the training photos, out of
    fold; the photos of each part by the candidate that is best on the other parts.
    """

    train: TrainingSet
    selected: ValidatedCandidate
    results: list[CandidateResult]
    omitted: list[Omitted]
    probabilities: NDArray[np.float64]
    reason: str


def select_method(audited: AuditedPhotos, split: Split, options: TeachOptions) -> Selection:
    """Cross-validate what the decision table suggests, and select by log loss."""
    start = time.perf_counter()
    embedded = audited.embedded
    features, labels = embedded.features.take(split.train), audited.labels[split.train]
    train = TrainingSet(features, labels, len(audited.classes), split)
    like_imagenet = similarity(embedded.features, embedded.backbone)
    order = candidates(options.method, train.median_per_class, like_imagenet)
    if options.forget_photos:  # neighbours are photos' features
        order = [candidate for candidate in order if candidate.method != "knn"]
    heads, omitted = cross_validate_heads(order, train, options.budget, options.progress)
    validated: list[ValidatedCandidate] = [*heads]
    tunings = finetuning_candidates(
        options.method, train.median_per_class, like_imagenet, options.budget
    )
    if tunings and options.onto is None:
        from eyespot.tasks.classification.finetune import cross_validate_tunings  # brings torch

        photos = [embedded.photos[index] for index in split.train]
        tuned, not_tuned = cross_validate_tunings(
            tunings, photos, train, embedded.backbone, options, start
        )
        validated, omitted = [*validated, *tuned], omitted + not_tuned
    groups = audited.duplicates.group[split.train]
    results = [candidate.result(train, groups) for candidate in validated]
    best, probabilities = _select(validated, results, train)
    reason = explain_selection(
        validated[best].candidate, len(results), like_imagenet, train.median_per_class, omitted
    )
    return Selection(train, validated[best], results, omitted, probabilities, reason)


def _select(
    validated: Sequence[ValidatedCandidate], results: Sequence[CandidateResult], train: TrainingSet
) -> tuple[int, NDArray[np.float64]]:
    """As `nested_selection`; but fine-tuning, which takes much longer, must not be less accurate
    than the best head."""
    found = [candidate.found for candidate in validated]
    best, probabilities = nested_selection(found, train.labels, train.split.parts)
    heads = [i for i, candidate in enumerate(validated) if isinstance(candidate, ValidatedHead)]
    if best not in heads and results[best].top1 < max(results[index].top1 for index in heads):
        return nested_selection([found[i] for i in heads], train.labels, train.split.parts)
    return best, probabilities


def explain_selection(
    selected: Candidate,
    count: int,
    like_imagenet: float | None,
    median_per_class: float,
    omitted: Sequence[Omitted] = (),
) -> str:
    """The photos, the method selected from `count` candidates, and the omitted ones.

    Without an accuracy: that of the selected candidate alone does not include the selection.
    """
    per_class = round(median_per_class)
    about = "1 photo" if per_class == 1 else f"{per_class:,} photos"
    first = f"Median: {about} per class to train on."
    if like_imagenet is not None:
        like = "similar to" if like_imagenet >= LIKE_IMAGENET else "different from"
        first += f" The photos are {like} ImageNet's (similarity {like_imagenet:.2f})."
    how = f"selected from {count} candidates by log loss" if count > 1 else "the only candidate"
    lines = [first, f"Method: {selected.words}, {how}."]
    for why in dict.fromkeys(one.why for one in omitted):
        names = ", ".join(one.what for one in omitted if one.why == why)
        lines.append(f"Not evaluated: {names} ({why}).")
    return " ".join(lines)
