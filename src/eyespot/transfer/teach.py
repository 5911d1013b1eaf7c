"""Teaching: from a collection of photos to a classifier and the evidence of how good it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.classifier import CROSS_VALIDATED, LAST_LAYER, Classifier, Recipe, TaughtPhotos
from eyespot.data.audit import Finding, audit
from eyespot.data.duplicates import Duplicates, find_duplicates
from eyespot.data.open import PhotoLike, open_photos
from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.data.splits import choose_repeats, fold_of, folds
from eyespot.errors import DatasetError, UsageError
from eyespot.evaluation import (
    Evaluation,
    LearningCurve,
    Rejection,
    Suspicion,
    evaluate,
    fit_rejection,
    learning_curve,
    percent,
    suspicious_labels,
    wilson_interval,
)
from eyespot.evaluation.crossval import CrossValidated, cross_validate, honest_choice
from eyespot.features.backbone import CONFIDENCE, DEFAULT, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import Features, block_widths, embed, join_features
from eyespot.heads import NAMES, make_method
from eyespot.heads.calibration import softmax
from eyespot.heads.familiarity import familiarity_out_of_fold, learn_familiarity
from eyespot.heads.method import Fold, Prepared
from eyespot.transfer.policy import (
    LIKE_IMAGENET,
    VIEW_WORDS,
    Candidate,
    blocks_of,
    candidates,
    similarity,
)

FOLDS = 5
HOLDOUT_FROM = 20_000
"""From this many photos on, one fifth held out says as much as five folds, five times sooner."""

MOST_HIDDEN = 10
"""Classes that are hidden in turn to see whether they would be refused."""

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


@dataclass(frozen=True)
class Trial:
    """One candidate that was tried: out-of-fold top-1 with its 95 % interval, and its cost."""

    method: str
    top1: float
    top1_interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True)
class Lesson:
    """All that one teaching found out; the report and the command line are made of it.

    `dataset`: the photos that were used. `labels`: int64 [n], indices of the classifier's classes.
    `probabilities`: float64 [n, K], of each photo by heads that never saw it; rows of photos that
    were never asked about are NaN. `evaluation`: of these, or of the test split if there is one.
    `reason`: two sentences. `seconds`: load, embed, fit, evaluate, total.
    """

    classifier: Classifier
    evaluation: Evaluation
    evaluated_on: str
    dataset: Dataset
    skipped: tuple[Skipped, ...]
    findings: list[Finding]
    duplicates: Duplicates
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    features: Features
    suspicious: list[Suspicion]
    method: str
    reason: str
    candidates: list[Trial]
    learning_curve: LearningCurve | None
    rejection: Rejection
    seconds: dict[str, float]
    photos_per_second: float


def learn(
    source: str | Path | Sequence[PhotoLike] | Dataset,
    labels: Sequence[str | int] | None = None,
    *,
    method: str = "auto",
    budget: float = 20.0,
    backbone: str = DEFAULT,
    onto: Classifier | None = None,
    forget_photos: bool = False,
    use_cache: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Lesson:
    """Teach a classifier and find out how good it is.

    `source`, `labels`: as `open_photos` takes them, or a Dataset. `method`: auto, knn,
    prototypes, logistic or svm. `budget`: seconds for choosing the method (the first candidate is
    always tried). `onto`: a classifier whose photos are taught along, without being read again.
    `forget_photos`: keep no features of the photos in the classifier.
    Raises DatasetError, UsageError, WeightsError.
    """
    clock = _Clock()
    dataset = (
        source
        if isinstance(source, Dataset)
        else open_photos(source, labels, least_classes=1 if onto else 2)
    )
    body = onto.backbone if onto is not None else load_backbone(backbone)
    engine = open_engine(body)
    clock.lap("load")
    total = len(dataset.photos)
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress("Looking at photos", done, total)

    cache = FeatureCache() if use_cache else None
    features, kept, unreadable = embed(dataset.photos, body, engine, cache, step)
    if cache is not None:
        cache.close()
    clock.lap("embed")
    speed = len(kept) / max(clock.seconds["embed"], 1e-9)
    photos = [dataset.photos[index] for index in kept]
    skipped = (*dataset.skipped, *unreadable)
    if onto is not None:
        features, photos = _with_taught(onto, features, photos)
    names = _class_names(photos, skipped)
    truth = np.array([names.index(photo.label or "") for photo in photos], dtype=np.int64)
    last = features.columns((LAST_LAYER,))
    duplicates = find_duplicates(
        features.sha256, features.dhash, features.thumbnails, [photo.group for photo in photos]
    )
    findings = audit(features.names, [names[index] for index in truth], duplicates)
    division = divide([photo.split for photo in photos], truth, duplicates.group)
    if division.dropped:
        findings.append(_dropped_finding(features.names, division.dropped))

    alike = similarity(features.columns((CONFIDENCE,))[:, 0].tolist())
    trials = try_candidates(
        features, truth, len(names), division, alike, method, budget, forget_photos, progress
    )
    clock.lap("fit")
    progress("Judging", 0, 1)
    best, honest = honest_choice([t.found for t in trials], truth[division.learn], division.parts)
    chosen = trials[best]
    learnt = truth[division.learn]
    scorer = chosen.prepared.fit(learnt, len(names), chosen.found.knob)
    probabilities = np.full((len(truth), len(names)), np.nan)
    probabilities[division.learn] = honest
    evaluated_on = CROSS_VALIDATED
    judged = probabilities
    if len(division.test):
        answers = scorer.scores(features.take(division.test).columns(chosen.blocks))
        probabilities[division.test] = softmax(answers / chosen.found.temperature)
        judged = np.full_like(probabilities, np.nan)
        judged[division.test] = probabilities[division.test]
        evaluated_on = "the test split"
    evaluation = evaluate(judged, truth, names, duplicates.group)
    right = honest.argmax(axis=1) == learnt
    rejection = fit_rejection(
        familiarity_out_of_fold(
            last[division.learn], learnt, division.repeats[0], forget_photos=forget_photos
        ),
        right,
        _hidden_familiarity(last[division.learn], learnt, forget_photos),
    )
    curve = _learning_curve(chosen, learnt, len(names), division)
    suspicious = suspicious_labels(probabilities, truth)
    tried = [
        Trial(
            t.candidate.name, *_top1(t.found, learnt, duplicates.group[division.learn]), t.seconds
        )
        for t in trials
    ]
    reason = explain_choice(chosen.candidate, tried, best, alike, truth, len(names))
    clock.lap("evaluate")
    clock.finish()
    recipe = Recipe(chosen.candidate.method, chosen.blocks, chosen.found.knob)
    classifier = Classifier(
        classes=names,
        backbone=body,
        recipe=recipe,
        scorer=scorer,
        temperature=chosen.found.temperature,
        familiarity=learn_familiarity(last[division.learn], learnt, forget_photos=forget_photos),
        threshold=rejection.threshold,
        metrics={
            **evaluation.to_dict(),
            "evaluated_on": evaluated_on,
            "method": chosen.candidate.name,
            "rejection": rejection.to_dict(),
        },
    )
    classifier._engine = engine
    if not forget_photos:
        taught = features.take(division.learn)
        classifier._taught = TaughtPhotos(taught, learnt)
    progress("Judging", 1, 1)
    return Lesson(
        classifier=classifier,
        evaluation=evaluation,
        evaluated_on=evaluated_on,
        dataset=Dataset(tuple(photos), dataset.skipped),
        skipped=skipped,
        findings=findings,
        duplicates=duplicates,
        labels=truth,
        probabilities=probabilities,
        features=features,
        suspicious=suspicious,
        method=chosen.candidate.name,
        reason=reason,
        candidates=tried,
        learning_curve=curve,
        rejection=rejection,
        seconds=clock.seconds,
        photos_per_second=speed,
    )


def teach(
    source: str | Path | Sequence[PhotoLike] | Dataset,
    labels: Sequence[str | int] | None = None,
    *,
    method: str = "auto",
    budget: float = 20.0,
) -> Classifier:
    """Teach a classifier: the short form of `learn`, which also tells how good it is.

    The figures are in `classifier.metrics`. Raises what `learn` raises.
    """
    return learn(source, labels, method=method, budget=budget).classifier


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


def _with_taught(
    onto: Classifier, features: Features, photos: list[Photo]
) -> tuple[Features, list[Photo]]:
    """What the classifier knows, followed by what is new to it."""
    taught = onto.taught
    if taught is None:
        raise UsageError(
            "This classifier has forgotten its photos (--forget-photos), so it cannot be taught "
            "more. Teach it anew with all the photos."
        )
    known = [
        Photo(name, MemorySource(b""), onto.classes[label])
        for name, label in zip(taught.features.names, taught.labels.tolist(), strict=True)
    ]
    pairs = set(zip(taught.features.sha256, (p.label for p in known), strict=True))
    new = [i for i, photo in enumerate(photos) if (features.sha256[i], photo.label) not in pairs]
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


@dataclass(frozen=True)
class Division:
    """Which photos are for learning and which for the test; indices into all photos.

    `repeats`: divisions of the learning photos into folds. `parts`: part of each learning photo.
    `dropped`: photos for learning that are copies of test photos.
    """

    learn: NDArray[np.int64]
    test: NDArray[np.int64]
    repeats: list[list[Fold]]
    parts: NDArray[np.int64]
    dropped: list[int]


def divide(
    splits: Sequence[str | None], labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> Division:
    """Respect given splits; otherwise divide into folds. No group stands on both sides."""
    given = np.array([split or "train" for split in splits])
    test = np.flatnonzero(given == "test")
    copies = (given != "test") & np.isin(groups, groups[test])
    learn = np.flatnonzero((given != "test") & ~copies)
    if len(np.unique(labels[learn])) < 2:
        raise DatasetError(
            "Expected photos of at least two classes to learn from, outside test/ and without "
            "copies of test photos."
        )
    own_labels, own_groups = labels[learn], groups[learn]
    parts = fold_of(own_labels, own_groups, FOLDS)
    validation = given[learn] == "val"
    repeats: list[list[Fold]]
    if validation.any() and not validation.all():
        clean = ~validation & ~np.isin(own_groups, own_groups[validation])
        repeats = [[(np.flatnonzero(clean), np.flatnonzero(validation))]]
    elif len(learn) > HOLDOUT_FROM:
        repeats = [folds(parts)[:1]]
        parts = fold_of(own_labels, own_groups, FOLDS, seed=1)
    else:
        repeats = [
            folds(fold_of(own_labels, own_groups, FOLDS, seed=seed))
            for seed in range(choose_repeats(len(learn)))
        ]
    return Division(learn, test, repeats, parts, np.flatnonzero(copies).tolist())


@dataclass(frozen=True)
class _Tried:
    candidate: Candidate
    blocks: tuple[str, ...]
    prepared: Prepared
    found: CrossValidated
    seconds: float


def try_candidates(
    features: Features,
    labels: NDArray[np.int64],
    classes: int,
    division: Division,
    like_imagenet: float,
    method: str,
    budget: float,
    forget_photos: bool,
    progress: Progress,
) -> list[_Tried]:
    """Cross-validate one candidate after the other until the budget of seconds is spent."""
    learnt = labels[division.learn]
    per_class = float(np.median(np.bincount(learnt, minlength=classes)))
    order = candidates(method, per_class, like_imagenet)
    if forget_photos:  # neighbours are photos
        order = [c for c in order if c.method != "knn"] or order
    start = time.perf_counter()
    tried: list[_Tried] = []
    for candidate in order:
        before = time.perf_counter()
        slowest = max((t.seconds for t in tried), default=0.0)
        if tried and before - start + slowest > budget:
            break
        progress("Choosing a method", len(tried), len(order))
        blocks = blocks_of(candidate.view, features.layout)
        widths = block_widths(features.layout, blocks)
        head = make_method(candidate.method)
        prepared = head.prepare(features.take(division.learn).columns(blocks), widths)
        found = cross_validate(
            prepared, learnt, classes, division.repeats, division.parts, head.knobs
        )
        tried.append(_Tried(candidate, blocks, prepared, found, time.perf_counter() - before))
    progress("Choosing a method", len(order), len(order))
    return tried


def _top1(
    found: CrossValidated, labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> tuple[float, tuple[float, float]]:
    asked = ~np.isnan(found.probabilities[:, 0])
    hits = found.probabilities[asked].argmax(axis=1) == labels[asked]
    independent = len(np.unique(groups[asked]))
    share = float(hits.mean())
    return share, wilson_interval(share * independent, independent)


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
    chosen: _Tried, labels: NDArray[np.int64], classes: int, division: Division
) -> LearningCurve | None:
    """The chosen head learnt from a quarter, a half and all of each fold's photos."""
    divided = division.repeats[0]
    if min(np.bincount(labels, minlength=classes)) < 5:
        return None
    rng = np.random.default_rng(0)
    sizes, correct = [], []
    for share in (0.25, 0.5, 1.0):
        parts = [(_share_of(train, labels, share, rng), test) for train, test in divided]
        scores = chosen.prepared.out_of_fold(labels, classes, parts, (chosen.found.knob,))[0]
        asked = ~np.isnan(scores[:, 0])
        correct.append(scores[asked].argmax(axis=1) == labels[asked])
        sizes.append(round(float(np.mean([len(train) for train, _ in parts]))))
    return learning_curve(sizes, correct)


def _share_of(
    photos: NDArray[np.int64],
    labels: NDArray[np.int64],
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """A share of the photos, of each class alike and at least one of each."""
    if share == 1:
        return photos
    kept = []
    for label in np.unique(labels[photos]):
        own = rng.permutation(photos[labels[photos] == label])
        kept.append(own[: max(1, round(len(own) * share))])
    return np.sort(np.concatenate(kept))


def explain_choice(
    chosen: Candidate,
    trials: Sequence[Trial],
    best: int,
    like_imagenet: float,
    labels: NDArray[np.int64],
    classes: int,
) -> str:
    """Two sentences: what the photos are like, and what won against what."""
    per_class = round(float(np.median(np.bincount(labels, minlength=classes))))
    kind = "like" if like_imagenet >= LIKE_IMAGENET else "unlike"
    first = (
        f"There are about {per_class} photos per class, and they look {kind} the photos of "
        f"ImageNet (similarity {like_imagenet:.2f})."
    )
    words = f"{NAMES[chosen.method]} on {VIEW_WORDS[chosen.view]}"
    words = words[0].upper() + words[1:]
    others = [trial for index, trial in enumerate(trials) if index != best]
    if not others:
        return f"{first} {words} was right for {percent(trials[best].top1)} of unseen photos."
    rival = max(others, key=lambda trial: trial.top1)
    return (
        f"{first} {words} was right most often on unseen photos: {percent(trials[best].top1)}, "
        f"against {percent(rival.top1)} for the runner-up ({rival.method}) among "
        f"{len(trials)} that were tried."
    )
