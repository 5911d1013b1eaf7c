"""Teaching: from a collection of photos to a classifier and the evidence of how good it is."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from eyespot.data.audit import audit, misnamed
from eyespot.data.duplicates import Duplicates, find_duplicates
from eyespot.data.finding import Finding, worst_first
from eyespot.data.given import Label, PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.errors import DatasetError, UsageError
from eyespot.evaluation import (
    Evaluation,
    LabelIssue,
    LearningCurve,
    Rejection,
    evaluate,
    find_label_issues,
    fit_rejection,
    learning_curve,
)
from eyespot.evaluation.crossval import honest_choice
from eyespot.features.backbone import DEFAULT, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import Features, embed, join_features
from eyespot.heads.ood import familiarity_out_of_fold, learn_familiarity
from eyespot.progress import Progress, counting
from eyespot.shown import shown
from eyespot.tasks.classification.classifier import Classifier, Recipe, TrainingPhotos
from eyespot.tasks.classification.policy import (
    FINETUNE,
    candidates,
    similarity,
    tunings,
)
from eyespot.tasks.classification.select import (
    LeftOut,
    Trial,
    Tried,
    TriedHead,
    explain_choice,
    try_heads,
)
from eyespot.tasks.classification.split import Division, divide

if TYPE_CHECKING:
    from eyespot.tasks.classification.finetune import Tuned

MOST_HIDDEN = 10
"""Classes that are hidden in turn to see whether they would be refused."""


@dataclass(frozen=True, repr=False)
class Lesson:
    """All that one teaching found out; the report and the command line are made of it.

    `dataset`: the photos that were used. `labels`: int64 [n], indices of the classifier's classes.
    `trained`: int64 [K], photos of each class to train on.
    `probabilities`: float64 [n, K], of each photo by heads that never saw it; rows of photos that
    were never asked about are NaN. `evaluation`: of these (nested: model selection is inside), or
    of the test split if there is one. `reason`: what was selected and why. `candidates`: each by
    itself, selection not included. `left_out`: candidates that were not tried, and why. `seconds`:
    load, embed, fit, evaluate, total.
    """

    classifier: Classifier
    evaluation: Evaluation
    evaluated_on: str
    dataset: Dataset
    skipped: tuple[Skipped, ...]
    findings: list[Finding]
    duplicates: Duplicates
    labels: NDArray[np.int64]
    trained: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    features: Features
    label_issues: list[LabelIssue]
    method: str
    reason: str
    candidates: list[Trial]
    left_out: list[LeftOut]
    learning_curve: LearningCurve | None
    rejection: Rejection
    seconds: dict[str, float]
    photos_per_second: float

    def __repr__(self) -> str:
        return (
            f"Lesson({self.classifier!r}, {len(self.dataset.photos):,} photos, "
            f"{len(self.skipped):,} skipped, {len(self.findings):,} findings)"
        )


def learn(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    method: str = "auto",
    budget: float | None = None,
    backbone: str = DEFAULT,
    onto: Classifier | None = None,
    forget_photos: bool = False,
    use_cache: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Lesson:
    """Teach a classifier and find out how good it is.

    `source`, `labels`: as `open_photos` takes them, or a Dataset. `method`: auto, knn,
    prototypes, logistic, svm, or finetune, which also tries heads and takes one if it answers as
    well. `budget`: seconds for model selection (the first candidate is always tried); None plans
    it from the numbers of photos and classes, so that the same photos give the same classifier on
    an idle and on a loaded machine. From 60 on `auto` fine-tunes as well. `onto`: a classifier
    whose photos are taught along, without being read again.
    `forget_photos`: keep no features of the photos in the classifier.
    Raises DatasetError, UsageError, WeightsError.
    """
    asked: object = onto
    if asked is not None and not isinstance(asked, Classifier):
        raise UsageError(f"onto is a Classifier, as eyespot.load returns it; got {shown(asked)}.")
    named: object = method
    if not isinstance(named, str):
        raise UsageError(f"The method is a name such as auto, svm or finetune, not {shown(named)}.")
    if forget_photos and method == "knn":
        raise UsageError(
            "Nearest neighbours are photos: they cannot be used and forgotten. Choose another "
            "method, or leave out --forget-photos."
        )
    if onto is not None and backbone not in (DEFAULT, onto.backbone.name):
        raise UsageError(
            f"The classifier was taught with {onto.backbone.name}; it cannot be taught more with "
            f"{backbone}. Leave out the network, or teach a new classifier."
        )
    if onto is not None and (method == FINETUNE or onto.recipe.method == FINETUNE):
        raise UsageError(
            "Fine-tuning needs the photos themselves, and a classifier keeps only features of "
            "them. Leave out the classifier to teach onto, and give all the photos."
        )
    given: object = budget
    if given is not None and (
        isinstance(given, bool) or not isinstance(given, Real) or not float(given) >= 0
    ):
        raise UsageError(f"budget is a number of seconds, 0 or more; got {shown(given)}.")
    clock = _Clock()
    dataset = open_photos(source, labels, least_classes=1 if onto else 2)
    body = onto.backbone if onto is not None else load_backbone(backbone)
    engine = open_engine(body)
    clock.lap("load")
    step = counting(progress, "Looking at photos", len(dataset.photos))
    cache = FeatureCache() if use_cache else None
    features, kept, unreadable = embed(dataset.photos, body, engine, cache, step)
    if cache is not None:
        cache.close()
    clock.lap("embed")
    speed = len(kept) / max(clock.seconds["embed"], 1e-9)
    photos = [dataset.photos[index] for index in kept]
    skipped = (*dataset.skipped, *unreadable)
    if onto is not None:
        features, photos = _with_training_photos(onto, features, photos)
    features, photos, untrained = _without_untrained(features, photos)
    skipped += untrained
    names = _class_names(photos, skipped)
    truth = np.array([names.index(photo.label or "") for photo in photos], dtype=np.int64)
    last = features.inputs((body.last,))
    duplicates = find_duplicates(
        features.sha256, features.dhash, features.thumbnails, [photo.group for photo in photos]
    )
    findings = audit(features.names, [names[index] for index in truth], duplicates)
    findings = worst_first([*dataset.findings, *findings, *misnamed(photos)])
    division = divide([photo.split for photo in photos], truth, duplicates.group)
    if division.dropped:
        findings.append(_dropped_finding(features.names, division.dropped))

    alike = similarity(features, body)
    known, learnt = features.take(division.learn), truth[division.learn]
    trained = np.bincount(learnt, minlength=len(names))
    per_class = float(np.median(trained))
    order = candidates(method, per_class, alike)
    if forget_photos:  # neighbours are photos
        order = [candidate for candidate in order if candidate.method != "knn"]
    start = time.perf_counter()
    heads, left_out = try_heads(order, known, learnt, len(names), division, budget, progress)
    trials: list[Tried] = [*heads]
    wanted = tunings(method, per_class, alike, budget) if onto is None else []
    if wanted:
        from eyespot.tasks.classification.finetune import try_tunings  # brings torch

        tuned_ones, not_tuned = try_tunings(
            wanted,
            [photos[index] for index in division.learn],
            known.values[:, known.layout[body.last]].astype(np.float32),
            body,
            learnt,
            len(names),
            division,
            budget,
            progress,
            start=start,
            forget_photos=forget_photos,
        )
        trials, left_out = [*trials, *tuned_ones], left_out + not_tuned
    clock.lap("fit")
    progress("Judging", 0, 1)
    groups = duplicates.group[division.learn]
    tried = [trial.trial(learnt, groups) for trial in trials]
    best, honest = _choose(trials, tried, learnt, division)
    chosen = trials[best]
    reason = explain_choice(chosen.candidate, len(tried), alike, learnt, len(names), left_out)
    own_last = last[division.learn]
    hidden, curve = None, None
    asked = features.values[division.test]
    if isinstance(chosen, TriedHead):
        classifier = Classifier(
            classes=names,
            backbone=body,
            recipe=Recipe(chosen.candidate.method, chosen.blocks, chosen.found.hyperparameter),
            scorer=chosen.prepared.fit(learnt, len(names), chosen.found.hyperparameter),
            temperature=chosen.found.temperature,
            familiarity=learn_familiarity(own_last, learnt, forget_photos=forget_photos),
            _engine=engine,
            _training_photos=None if forget_photos else TrainingPhotos(known, learnt),
        )
        familiarity = familiarity_out_of_fold(
            own_last, learnt, division.repeats[0], forget_photos=forget_photos
        )
        hidden = _hidden_familiarity(own_last, learnt, forget_photos)
        curve = _learning_curve(chosen, learnt, len(names), division)
    else:
        tuned = cast("Tuned", chosen)
        classifier, familiarity = tuned.classifier(learnt, names, progress), tuned.familiarity
        if len(division.test):
            unseen = [photos[index] for index in division.test]
            asked = embed(unseen, classifier.backbone, classifier.engine)[0].values
    probabilities = np.full((len(truth), len(names)), np.nan)
    probabilities[division.learn] = honest
    evaluated_on, judged = division.asked_on, probabilities
    if len(division.test):
        probabilities[division.test], _ = classifier.judge(asked)
        judged = np.full_like(probabilities, np.nan)
        judged[division.test] = probabilities[division.test]
        evaluated_on = "the test split"
    evaluation = evaluate(judged, truth, names, duplicates.group)
    rejection = fit_rejection(familiarity, honest.argmax(axis=1) == learnt, hidden)
    classifier.threshold = rejection.threshold
    classifier.metrics = {
        **evaluation.to_metrics(),
        "evaluated_on": evaluated_on,
        "method": chosen.candidate.name,
        "source": [finding.message for finding in dataset.findings],
        "rejection": rejection.to_dict(),
    }
    label_issues = find_label_issues(probabilities, truth)
    clock.lap("evaluate")
    clock.finish()
    progress("Judging", 1, 1)
    return Lesson(
        classifier=classifier,
        evaluation=evaluation,
        evaluated_on=evaluated_on,
        dataset=Dataset(tuple(photos), dataset.skipped, dataset.findings),
        skipped=skipped,
        findings=findings,
        duplicates=duplicates,
        labels=truth,
        trained=trained,
        probabilities=probabilities,
        features=features,
        label_issues=label_issues,
        method=chosen.candidate.name,
        reason=reason,
        candidates=tried,
        left_out=left_out,
        learning_curve=curve,
        rejection=rejection,
        seconds=clock.seconds,
        photos_per_second=speed,
    )


def teach(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    method: str = "auto",
    budget: float | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
) -> Classifier:
    """Teach a classifier: the short form of `learn`, which also tells how good it is.

    `path_column`, `label_column`, `split_column`: as `open_photos` takes them.
    The figures are in `classifier.metrics`. Raises what `learn` raises.
    """
    dataset = open_photos(
        source,
        labels,
        path_column=path_column,
        label_column=label_column,
        split_column=split_column,
    )
    return learn(dataset, method=method, budget=budget).classifier


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.start = self.last = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self.last
        self.last = now

    def finish(self) -> None:
        self.seconds["total"] = time.perf_counter() - self.start


def _without_untrained(
    features: Features, photos: list[Photo]
) -> tuple[Features, list[Photo], tuple[Skipped, ...]]:
    """Without test photos of classes that no head can answer with, as none of theirs is to train
    on: they would count as errors that more photos for the test cannot mend."""
    trained = {photo.label for photo in photos if photo.split != "test"}
    kept = [index for index, photo in enumerate(photos) if photo.label in trained]
    left_out = tuple(
        Skipped(photo.name, f"{photo.label} has no photo to train on")
        for photo in photos
        if photo.label not in trained
    )
    if not left_out or not trained:  # dividing them will tell that there is nothing to train on
        return features, photos, ()
    return features.take(kept), [photos[index] for index in kept], left_out


def _class_names(photos: Sequence[Photo], skipped: Sequence[Skipped]) -> tuple[str, ...]:
    names = Dataset(tuple(photos)).classes
    if len(names) < 2:
        lost = (
            f" {len(skipped)} photos were skipped, the first because: {skipped[0].reason}."
            if (skipped)
            else ""
        )
        raise DatasetError(
            f"Expected readable photos of at least two classes, found {len(photos)} of "
            f"{len(names)}.{lost}"
        )
    return names


def _with_training_photos(
    onto: Classifier, features: Features, photos: list[Photo]
) -> tuple[Features, list[Photo]]:
    """What the classifier knows, followed by what is new to it."""
    taught = onto.require_training_photos()
    new = onto.unknown_photos_of(features, [photo.label for photo in photos])
    known = [
        Photo(name, MemorySource(b""), onto.classes[label])
        for name, label in zip(taught.features.names, taught.labels.tolist(), strict=True)
    ]
    joined = join_features(taught.features, features.take(new))
    return joined, known + [photos[i] for i in new]


def _dropped_finding(names: Sequence[str], dropped: Sequence[int]) -> Finding:
    return Finding(
        "copies across splits",
        "warning",
        f"{len(dropped)} photos for learning are copies of test photos; they were not learnt from.",
        "Remove the copies from one of the two splits.",
        tuple(names[index] for index in dropped),
    )


def _choose(
    trials: Sequence[Tried],
    tried: Sequence[Trial],
    labels: NDArray[np.int64],
    division: Division,
) -> tuple[int, NDArray[np.float64]]:
    """As `honest_choice`; but fine-tuning, which takes so much longer, must not be right less often
    than the best head."""
    found = [trial.found for trial in trials]
    best, honest = honest_choice(found, labels, division.parts)
    heads = [index for index, trial in enumerate(trials) if isinstance(trial, TriedHead)]
    if best not in heads and tried[best].top1 < max(tried[index].top1 for index in heads):
        return honest_choice([found[index] for index in heads], labels, division.parts)
    return best, honest


def _hidden_familiarity(
    last: NDArray[np.float32], labels: NDArray[np.int64], forget_photos: bool
) -> NDArray[np.float32] | None:
    """Familiarity of photos of each class with the photos of all other classes: [m]."""
    classes = np.unique(labels)
    if len(classes) < 3:
        return None
    rng = np.random.default_rng(0)
    out = []
    for hidden in rng.permutation(classes)[:MOST_HIDDEN]:
        others = np.flatnonzero(labels != hidden)
        known = learn_familiarity(last[others], labels[others], forget_photos=forget_photos)
        out.append(known(last[rng.permutation(np.flatnonzero(labels == hidden))[:200]]))
    return np.concatenate(out)


def _learning_curve(
    chosen: TriedHead, labels: NDArray[np.int64], classes: int, division: Division
) -> LearningCurve | None:
    """The chosen head learnt from a quarter, a half and all of each fold's photos."""
    divided = division.repeats[0]
    if min(np.bincount(labels, minlength=classes)) < 5:
        return None
    rank = _rank_in_class(labels)
    sizes, correct = [], []
    for share in (0.25, 0.5, 1.0):
        parts = [(train[rank[train] <= share], test) for train, test in divided]
        if share == 1 and len(division.repeats) == 1:  # these have been asked already
            scores = chosen.found.scores
        else:
            scores = chosen.prepared.out_of_fold(
                labels, classes, parts, (chosen.found.hyperparameter,)
            )[0]
        asked = ~np.isnan(scores[:, 0])
        correct.append(scores[asked].argmax(axis=1) == labels[asked])
        sizes.append(round(float(np.mean([len(train) for train, _ in parts]))))
    return learning_curve(sizes, correct, len(labels))


def _rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """A random rank above 0 to 1 for each photo among those of its class, evenly spread."""
    order = np.random.default_rng(0).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    first = np.cumsum(counts) - counts
    rank = np.empty(len(labels))
    rank[order] = (np.arange(len(labels)) - first[labels[order]] + 1) / counts[labels[order]]
    return rank
