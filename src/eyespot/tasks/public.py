"""`eyespot.teach` and `eyespot.evaluate`, for every task."""

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from eyespot.data.boxes.dataset import BoxDataset
from eyespot.data.given import Label, PhotoLike
from eyespot.data.photos import Dataset
from eyespot.errors import UsageError
from eyespot.features.backbone import DEFAULT
from eyespot.progress import Progress
from eyespot.shown import shown
from eyespot.tasks.task import TASKS, task_called, type_of

if TYPE_CHECKING:
    from eyespot.tasks.classification.classifier import Classifier
    from eyespot.tasks.classification.result import EvaluateResult, TeachResult
    from eyespot.tasks.detection.detector import Detector
    from eyespot.tasks.detection.result import DetectionResult, DetectionTeachResult

Photos = str | Path | Iterable[PhotoLike] | Dataset


def _silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


@overload
def teach(
    photos: Photos,
    labels: Iterable[Label] | None = None,
    *,
    task: Literal["classification"] = "classification",
    method: str | None = None,
    budget: float | None = None,
    backbone: str = DEFAULT,
    onto: "Classifier | None" = None,
    forget_photos: bool = False,
    use_cache: bool = True,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    progress: Progress = _silent,
) -> "TeachResult": ...


@overload
def teach(
    photos: Any,
    *,
    task: Literal["detect", "detection"],
    method: str | None = None,
    backbone: str = DEFAULT,
    use_cache: bool = True,
    progress: Progress = _silent,
) -> "DetectionTeachResult": ...


def teach(
    photos: Any,
    labels: Iterable[Label] | None = None,
    *,
    task: str = "classification",
    method: str | None = None,
    budget: float | None = None,
    backbone: str = DEFAULT,
    onto: "Classifier | None" = None,
    forget_photos: bool = False,
    use_cache: bool = True,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    progress: Progress = _silent,
) -> Any:
    """Train a classifier or, with `task="detect"`, a detector, and evaluate it on held-out photos.

    `photos`, `labels`, and the columns: as `open_photos` takes them, or a Dataset; of a detector,
    `photos` as `open_boxes` takes them. `backbone`: a network of the zoo, or a file that `eyespot
    train` wrote. `use_cache`: look up and store features.

    `method` of a classifier: auto (None), knn, prototypes, logistic, svm, or finetune, which also
    evaluates heads and selects one if its predictions are as good; of a detector: dense (None),
    fast-rcnn, finetune, or auto, which compares them. Of classifiers alone: `budget`, seconds for
    model selection (the first candidate always runs); None plans it from the numbers of photos and
    classes, so that the same photos give the same classifier on an idle and on a loaded machine.
    From 60 on, auto fine-tunes as well. `onto`: a classifier whose training photos are added,
    without reading them again. `forget_photos`: keep no features of the photos in the classifier.

    Raises DatasetError, UsageError (also for an option that the task does not have), WeightsError.
    """
    kind = task_called(task)
    if isinstance(photos, BoxDataset) and kind is not type_of("detection"):
        raise UsageError('These photos have boxes. Train a detector of them with task="detect".')
    options = {
        "labels": labels,
        "method": method,
        "budget": budget,
        "backbone": backbone,
        "onto": onto,
        "forget_photos": forget_photos,
        "use_cache": use_cache,
        "path_column": path_column,
        "label_column": label_column,
        "split_column": split_column,
    }
    return kind.teach(photos, progress=progress, **_given(teach, kind.teach, kind.noun, options))


@overload
def evaluate(
    model: "Classifier",
    photos: Photos,
    labels: Iterable[Label] | None = None,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    progress: Progress = _silent,
) -> "EvaluateResult": ...


@overload
def evaluate(
    model: "Detector", photos: Any, *, progress: Progress = _silent
) -> "DetectionResult": ...


def evaluate(
    model: Any,
    photos: Any,
    labels: Iterable[Label] | None = None,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    progress: Progress = _silent,
) -> Any:
    """Evaluate a classifier or detector on annotated photos.

    `photos`, `labels`, and the columns: as `open_photos` takes them, of which the test split is
    used if there is one; of a detector, `photos` as `open_boxes` takes them, and all are used.
    Raises DatasetError if a label is not one of the classifier's classes, no box is of a class of
    the detector, or no photo can be read, and UsageError for an option that the task does not have.
    """
    kinds: Any = tuple(type_of(task) for task in TASKS)
    if not issubclass(type(model), kinds):
        raise UsageError(f"Expected a model that eyespot.load returns, found {shown(model)}.")
    options = {
        "labels": labels,
        "path_column": path_column,
        "label_column": label_column,
        "split_column": split_column,
    }
    chosen = _given(evaluate, model.evaluate, model.noun, options)
    return model.evaluate(photos, progress=progress, **chosen)


def _given(function: Any, to: Any, noun: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options that are not the default of `function`. Raises UsageError for one that `to` does
    not take."""
    declared, known = inspect.signature(function).parameters, inspect.signature(to).parameters
    chosen = {key: value for key, value in options.items() if value is not declared[key].default}
    for name in chosen:
        if name not in known:
            raise UsageError(f"A {noun} has no option {name}. Leave it out.")
    return chosen
