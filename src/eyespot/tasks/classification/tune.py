"""Hyperparameter search: many short runs, the worse ones pruned early.

By Optuna (Akiba et al., KDD 2019): the first trials are drawn at random, later ones near good ones
(tree-structured Parzen estimators: Bergstra et al., NIPS 2011). A trial that is worse than half of
the earlier ones after as many epochs is pruned (median stopping).
"""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from eyespot.data.given import PhotoLike
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.errors import MissingExtraError, NonFiniteError, TrainingError, UsageError
from eyespot.progress import Progress, counting
from eyespot.training.augment import find_augmentation
from eyespot.training.division import HELD_OUT, divide
from eyespot.training.fingerprint import fingerprint
from eyespot.training.folder import STUDY, alone_in
from eyespot.training.pictures import Pictures, open_pictures
from eyespot.training.plan import Plan
from eyespot.training.records import Epoch, best_of
from eyespot.training.trainer import PHOTOS, train
from eyespot.weights import zoo

if TYPE_CHECKING:
    import optuna

State = Literal["complete", "pruned", "failed"]

TRIAL = "trial"
RATES = {"sgd": (1e-3, 1.0), "adam": (1e-5, 1e-2), "adamw": (1e-5, 1e-2)}
DECAYS = {"sgd": (1e-6, 1e-2), "adam": (1e-6, 1e-2), "adamw": (1e-4, 1.0)}
"""Search ranges of learning rate and weight decay, by optimiser."""
SMOOTHING = 0.2
"""Largest label smoothing."""
SMALL = 64
"""Side up to which a network's images are small."""
FOR_SMALL = ("none", "shift", "shift+colour", "shift+randaugment", "shift+erasing")
FOR_LARGE = ("windows", "windows+colour", "windows+randaugment", "windows+erasing")
"""Augmentations to select from. All of a row need images of the same side, so that photos are read
once. None mirrors: a mirrored digit, letter or hand may be of another class."""
MIRRORED: dict[tuple[str, ...], tuple[str, ...]] = {
    FOR_SMALL: ("small", "small+colour", "small+randaugment", "small+erasing"),
    FOR_LARGE: ("crops", "crops+colour", "crops+randaugment", "crops+erasing"),
}
"""Added to each row if the photos may be mirrored."""
DRAWN = 8
"""Random trials before the search uses their results."""
UNPRUNED = 5
"""Trials that are never pruned: there is little to compare them with."""
FREE = 3
"""No trial is pruned in the first 1/FREE of its epochs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run. `accuracy`: the best validation accuracy of its `epochs`; None after a NaN or Inf
    loss. `settings`: by the names of `Plan`.
    `beats_baseline`: whether the accuracy is above that of the majority-class baseline."""

    number: int
    state: State
    settings: dict[str, Any]
    accuracy: float | None
    epochs: int
    seconds: float
    beats_baseline: bool


@dataclass(frozen=True, slots=True)
class Search:
    """`trials`: in their order. `plan`: with the settings of the `best`; both None if no completed
    trial beats the `baseline`: the accuracy of the majority class on the `count` validation
    photos."""

    trials: tuple[Trial, ...]
    best: Trial | None
    plan: Plan | None
    baseline: float
    count: int


class _OutOfTime(Exception):
    """The budget is spent within a trial, which the next search resumes."""


def tune(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    plan: Plan,
    folder: Path,
    *,
    trials: int = 20,
    budget: float = 0.0,
    held_out: float = HELD_OUT,
    mirrors: bool = False,
    progress: Progress = lambda stage, done, total: None,
    watch: Callable[[Sequence[Trial]], None] = lambda trials: None,
) -> Search:
    """Search until there are `trials` runs, or `budget` seconds are over (0: no limit).

    Learning rate, weight decay, augmentation and label smoothing are searched; all else is `plan`.
    `mirrors`: also try augmentations that mirror, for photos whose mirror image is of their class.
    The validation accuracy decides; test photos are not read. `folder` keeps the search, which
    resumes after an interruption, also within a trial, if the photos and their split are the same.
    `watch` gets all trials so far at the start and after every trial. Raises
    UsageError, DatasetError, TrainingError (also while another process is at work there),
    MissingExtraError.
    """
    _import_optuna()
    if trials < 1:
        raise UsageError(f"trials must be 1 or more, not {trials}.")
    about = zoo.find(plan.model)
    augmentations: tuple[str, ...] = FOR_SMALL if about.preprocessing.size <= SMALL else FOR_LARGE
    augmentations += MIRRORED[augmentations] if mirrors else ()
    side = find_augmentation(augmentations[0]).stored(about.preprocessing.size)
    dataset = open_photos(source)
    photos, unseen, _ = divide(dataset, held_out, plan.seed)
    if not unseen:
        raise UsageError("Expected photos for validation, found none. Hold some out: --held-out")
    step = counting(progress, "Reading", len(photos) + len(unseen))
    learn, val = (
        open_pictures(part, dataset.classes, side, about.in_channels, step)[0]
        for part in (photos, unseen)
    )
    return search(
        plan,
        learn,
        val,
        folder,
        augmentations,
        trials=trials,
        budget=budget,
        photos=fingerprint(photos, unseen),
        progress=progress,
        watch=watch,
    )


def search(
    plan: Plan,
    learn: Pictures,
    val: Pictures,
    folder: Path,
    augmentations: Sequence[str],
    *,
    trials: int = 20,
    budget: float = 0.0,
    photos: str = "",
    progress: Progress = lambda stage, done, total: None,
    watch: Callable[[Sequence[Trial]], None] = lambda trials: None,
) -> Search:
    """As `tune`, on images as `augmentations` need them. `photos`: their `fingerprint`."""
    optuna = _import_optuna()
    from sqlalchemy.exc import SQLAlchemyError

    if plan.optimiser not in RATES:
        raise UsageError(
            f"There is no optimiser '{plan.optimiser}'. Choose one of: {', '.join(RATES)}."
        )
    end = time.monotonic() + budget if budget else float("inf")
    try:
        with alone_in(folder, STUDY):
            facts = {"classes": list(learn.classes), PHOTOS: [photos, len(learn)]}
            facts["augmentations"] = list(augmentations)
            found = partial(_found, plan=plan, baseline=_baseline(learn, val), count=len(val))
            study = _study(folder, plan.to_dict() | facts)
            for trial in _waiting(study, folder / TRIAL, trials, plan.seed):
                watch(found(study).trials)
                tried = plan.with_options(_suggested(trial, plan, augmentations))

                def tell(what: str, done: int, total: int, before: int = trial.number) -> None:
                    progress("Trials", before * total + done, max(trials, before + 1) * total)

                pruning = _pruning(trial, plan.epochs, end)
                try:
                    trained = train(tried, learn, val, folder / TRIAL, progress=tell, watch=pruning)
                except NonFiniteError:
                    study.tell(trial, state=optuna.trial.TrialState.FAIL)
                except optuna.TrialPruned:
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                except _OutOfTime:
                    break
                else:
                    study.tell(trial, _accuracy(trained.epochs))
                if time.monotonic() > end:
                    break
            done = found(study)
            watch(done.trials)
            return done
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        raise TrainingError(
            f"{folder / STUDY} cannot be used ({reason}). Make room there, or delete it to begin "
            "anew."
        ) from error


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """The completed trial with the best validation accuracy above the majority-class baseline, or
    None."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.beats_baseline]
    return max(complete, key=lambda trial: trial.accuracy or 0.0, default=None)


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("Searching for settings", "tune") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _study(folder: Path, facts: dict[str, Any]) -> "optuna.Study":
    """The study in `folder`, created if missing. Raises TrainingError if it has other `facts`."""
    import optuna

    storage = optuna.storages.RDBStorage(
        "sqlite://",  # a path in the address could not have every character
        engine_kwargs={"creator": lambda: sqlite3.connect(folder / STUDY)},
    )
    study = optuna.create_study(
        storage=storage,
        study_name="eyespot",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=UNPRUNED, n_warmup_steps=facts["epochs"] // FREE + 1
        ),
    )
    before = study.user_attrs.get("facts", facts)
    if other := [name for name in facts if facts[name] != before.get(name)]:
        raise TrainingError(
            f"{folder} is of a search with other settings, classes or photos ({', '.join(other)}). "
            "Search in another folder, or delete it to begin anew."
        )
    study.set_user_attr("facts", facts)
    return study


def _waiting(
    study: "optuna.Study", folder: Path, count: int, seed: int
) -> Iterator["optuna.Trial"]:
    """Trials to run, an interrupted one first, until there are `count`."""
    import optuna

    for stopped in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        yield optuna.trial.Trial(study, stopped._trial_id)
    while True:
        shutil.rmtree(folder, ignore_errors=True)  # of the trial before
        number = len(study.get_trials(deepcopy=False))
        if number >= count:
            return
        # A seed for each trial: a resumed search draws as an uninterrupted one.
        own = (seed * 1_000_003 + number) % 2**32  # the range of NumPy's legacy generator
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=DRAWN, seed=own)
        yield study.ask()


def _suggested(
    trial: "optuna.Trial", plan: Plan, augmentations: Sequence[str]
) -> dict[str, float | str]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", *RATES[plan.optimiser], log=True),
        "weight_decay": trial.suggest_float("weight_decay", *DECAYS[plan.optimiser], log=True),
        "augmentation": trial.suggest_categorical("augmentation", augmentations),
        "label_smoothing": trial.suggest_float("label_smoothing", 0.0, SMOOTHING),
    }


def _pruning(trial: "optuna.Trial", epochs: int, end: float) -> Callable[[Sequence[Epoch]], None]:
    """Looks at a trial after every epoch, and prunes it."""
    import optuna

    def watch(done: Sequence[Epoch]) -> None:
        if not done:
            return
        last = done[-1].epoch
        seconds = sum(epoch.seconds for epoch in done)
        trial.set_user_attr("done", [_accuracy(done), last, seconds])
        if last not in trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values:
            trial.report(_accuracy(done), last)
        if last < epochs and trial.should_prune():
            raise optuna.TrialPruned
        if last < epochs and time.monotonic() > end:
            raise _OutOfTime

    return watch


def _accuracy(epochs: Sequence[Epoch]) -> float:
    best = best_of(epochs)
    assert best is not None  # there are validation images
    assert best.val_accuracy is not None
    return best.val_accuracy


def _baseline(learn: Pictures, val: Pictures) -> float:
    """The accuracy on `val` of the majority class of `learn`."""
    majority = np.bincount(learn.labels, minlength=len(learn.classes)).argmax()
    return float((val.labels == majority).mean())


def _found(study: "optuna.Study", plan: Plan, baseline: float, count: int) -> Search:
    states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    trials = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name in states:
            state = states[trial.state.name]
            accuracy, epochs, seconds = trial.user_attrs.get("done", (None, 0, 0.0))
            if state == "failed":
                accuracy = None
            beats = accuracy is not None and accuracy > baseline
            trials.append(
                Trial(trial.number, state, trial.params, accuracy, epochs, seconds, beats)
            )
    best = best_trial(trials)
    chosen = plan.with_options(best.settings) if best else None
    return Search(tuple(trials), best, chosen, baseline, count)
