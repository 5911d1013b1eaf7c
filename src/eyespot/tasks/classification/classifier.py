"""A trained classifier: add photos and classes, evaluate, explain, export, save.

Adding photos imports torch and scikit-learn.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from eyespot.data.decode import DecodedImage
from eyespot.data.folders import find_photos
from eyespot.data.given import (
    PhotoLike,
    class_name,
    many,
    named_photos,
    path_of,
)
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Photo, Skipped
from eyespot.errors import ClassifierFileError, DatasetError, UsageError
from eyespot.features.backbone import DEFAULT
from eyespot.features.extract import Features, embed, join_features
from eyespot.features.own_weights import keep_own, own_file
from eyespot.features.usable import expect_usable
from eyespot.progress import Progress
from eyespot.shown import shortened, shown
from eyespot.tasks.classification import notebook, storage
from eyespot.tasks.classification.manifest import Recipe
from eyespot.tasks.classification.prediction import Prediction
from eyespot.tasks.classification.predictor import Predictor
from eyespot.tasks.classification.training_photos import TrainingPhotos

if TYPE_CHECKING:
    from eyespot.tasks.classification.result import EvaluateResult, TeachResult

__all__ = ["Classifier", "Prediction", "Recipe", "TrainingPhotos"]


@dataclass(repr=False)
class Classifier(Predictor):
    """Preprocessing, backbone, head, class names, calibration and OOD threshold.

    `scorer`: the trained head. `temperature` divides its scores. A photo with an OOD
    score above `ood_threshold` is rejected as unknown. `metrics`: of its evaluation, as the file
    keeps them. `training_photos`: None if the photos' features were not kept.
    """

    noun: ClassVar[str] = "classifier"
    formats: ClassVar[Sequence[str]] = ("onnx", "openvino", "torch", "web")

    _training_photos: TrainingPhotos | Callable[[], TrainingPhotos | None] | None = None

    def __repr__(self) -> str:
        names = f"{len(self.classes):,} classes: {shortened(self.classes, 5)}"
        parts = [names, f"{self.recipe.method} on {self.backbone.name}"]
        if "top1" in self.metrics:
            parts.append(notebook.accuracy(self.metrics))
        return f"Classifier({'; '.join(parts)})"

    def _repr_html_(self) -> str:
        method = f"{self.recipe.method} on {self.backbone.name}"
        return notebook.classifier_html(self.classes, method, self.metrics)

    @property
    def training_photos(self) -> TrainingPhotos | None:
        """The training photos' features, read from the file on first use."""
        if callable(self._training_photos):
            self._training_photos = self._training_photos()
        return self._training_photos

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the engine, which a copy opens on first use. A network of its own is
        included, because another machine lacks it."""
        state = self.__dict__ | {"_engine": None}
        if self.backbone.own:
            with own_file(self.backbone.sha256) as weights:
                state["network"] = weights.read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        network = state.pop("network", None)
        if network is not None:
            keep_own(network)
        self.__dict__.update(state)

    # --- photos and classes ------------------------------------------------------------------

    def add_photos(self, name: str, photos: str | Path | Iterable[PhotoLike]) -> list[Skipped]:
        """Add photos of `name`, a known or a new class; the known photos are not read again.

        `photos`: a folder, a file, or a list of what `predict` takes. The head is trained again by
        the same recipe, with a new temperature and OOD threshold. Returns the unreadable photos.
        Raises UsageError if the training photos' features were not kept.
        """
        known, name = self.require_training_photos(), class_name(name)
        if isinstance(photos, str | PathLike):
            found = list(find_photos(path_of(photos)).photos)
        else:
            found = named_photos(many(photos))
        new = [replace(photo, label=name) for photo in found]
        features, kept, skipped = embed(new, self.backbone, self.engine)
        if not kept:
            raise DatasetError(f"None of the {len(new)} photos of {name} could be read.")
        if known.features.layout != features.layout:
            raise ClassifierFileError(
                "The classifier's file is damaged: the features of its photos are not those of "
                f"{self.backbone.name}. Teach it again, or restore it from a copy."
            )
        classes = self.classes if name in self.classes else (*self.classes, name)
        fresh = self.new_photos(features, [name] * len(kept))
        labels = np.append(known.labels, np.full(len(fresh), classes.index(name)))
        joined = join_features(known.features, features.take(fresh))
        self._retrain(classes, TrainingPhotos(joined, labels))
        return skipped

    def add_class(self, name: str, photos: str | Path | Iterable[PhotoLike]) -> list[Skipped]:
        """Add a class. Raises UsageError if there is one of that name; see `add_photos`."""
        name = class_name(name)
        if name in self.classes:
            raise UsageError(
                f"There is a class {shown(name)} already; use add_photos for more of it."
            )
        return self.add_photos(name, photos)

    def remove_class(self, name: str) -> None:
        """Remove a class. Raises UsageError if it is unknown, or one of the last two."""
        gone = self._index(name)
        if len(self.classes) <= 2:
            raise UsageError("A classifier needs two classes; this one has no more.")
        known = self.require_training_photos()
        kept = np.flatnonzero(known.labels != gone)
        labels = known.labels[kept]
        classes = tuple(c for c in self.classes if c != name)
        photos = TrainingPhotos(known.features.take(kept), labels - (labels > gone))
        self._retrain(classes, photos)

    def rename_class(self, old: str, new: str) -> None:
        """Rename a class. Raises UsageError if `old` is unknown or `new` is taken."""
        index, new = self._index(old), class_name(new)
        if new in self.classes:
            raise UsageError(f"There is a class {shown(new)} already.")
        self.classes = (*self.classes[:index], new, *self.classes[index + 1 :])

    def _index(self, name: object) -> int:
        if not isinstance(name, str) or name not in self.classes:
            raise UsageError(
                f"There is no class {shown(name)}; the classes are {shortened(self.classes)}."
            )
        return self.classes.index(name)

    def new_photos(self, features: Features, labels: Sequence[str | None]) -> list[int]:
        """Indices of the photos that are not among the training photos under their label."""
        training = self.require_training_photos()
        names = [self.classes[label] for label in training.labels]
        known = set(zip(training.features.sha256, names, strict=True))
        pairs = zip(features.sha256, labels, strict=True)
        return [index for index, pair in enumerate(pairs) if pair not in known]

    def require_training_photos(self) -> TrainingPhotos:
        """The training photos' features. Raises UsageError if they were not kept."""
        if self.training_photos is None:
            why = "keeps no features of its photos (--forget-photos)"
            if self.backbone.reads_logits:
                why = "predicts with its network's own head, which was trained on the photos"
            raise UsageError(
                f"This classifier {why}, so it cannot be changed. Train a new classifier with all "
                "the photos."
            )
        return self.training_photos

    def _retrain(self, classes: tuple[str, ...], photos: TrainingPhotos) -> None:
        from eyespot.tasks.classification.retrain import retrain  # brings scikit-learn

        retrain(self, classes, photos)
        self._training_photos = photos

    # --- training, evaluation, explanation, export -------------------------------------------

    @staticmethod
    def annotations(source: Path) -> str | None:
        """None: this task is for all photos whose annotations no other task knows."""
        return None

    @staticmethod
    def open(
        source: Path,
        *,
        new: bool,
        path_column: str | None = None,
        label_column: str | None = None,
        split_column: str | None = None,
    ) -> Dataset:
        """Labelled photos, see `eyespot.open_photos`. `new`: of two classes or more."""
        return open_photos(
            source,
            least_classes=2 if new else 1,
            path_column=path_column,
            label_column=label_column,
            split_column=split_column,
        )

    @staticmethod
    def teach(
        photos: Any,
        labels: Iterable[Any] | None = None,
        *,
        method: str = "auto",
        budget: float | None = None,
        backbone: str = DEFAULT,
        onto: "Classifier | None" = None,
        forget_photos: bool = False,
        use_cache: bool = True,
        path_column: str | None = None,
        label_column: str | None = None,
        split_column: str | None = None,
        progress: Progress = lambda stage, done, total: None,
    ) -> "TeachResult":
        """A new classifier; see `eyespot.teach`."""
        result: TeachResult = _step("teach").teach(
            photos,
            labels,
            method=method,
            budget=budget,
            backbone=backbone,
            onto=onto,
            forget_photos=forget_photos,
            use_cache=use_cache,
            path_column=path_column,
            label_column=label_column,
            split_column=split_column,
            progress=progress,
        )
        return result

    def evaluate(
        self,
        photos: Any,
        labels: Iterable[Any] | None = None,
        *,
        path_column: str | None = None,
        label_column: str | None = None,
        split_column: str | None = None,
        progress: Progress = lambda stage, done, total: None,
    ) -> "EvaluateResult":
        """The result on labelled photos; see `eyespot.evaluate`."""
        result: EvaluateResult = _step("evaluate").evaluate(
            self,
            photos,
            labels,
            path_column=path_column,
            label_column=label_column,
            split_column=split_column,
            progress=progress,
        )
        return result

    def explain(self, photo: Photo | PhotoLike, label: str | None = None) -> Any:
        """The `Explanation` of one prediction; see `eyespot.explain`."""
        import eyespot

        return eyespot.explain(self, photo, label)

    def export(
        self,
        to: str,
        path: str | Path,
        *,
        check_with: str | Path | None = None,
        calibrate: str | Path | None = None,
        max_loss: float | None = None,
        name: str | None = None,
        onnxruntime: str | Path | None = None,
        progress: Progress = lambda stage, done, total: None,
    ) -> Any:
        """Write the classifier in another format; see `eyespot.export`."""
        import eyespot

        return eyespot.export(
            self,
            to,
            path,
            check_with=check_with,
            calibrate=calibrate,
            max_loss=max_loss,
            name=name,
            onnxruntime=onnxruntime,
            progress=progress,
        )

    # --- behind a server ---------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """The description of the classifier without its largest metrics, which the report has."""
        return {
            "labels": list(self.classes),
            "backbone": self.backbone.name,
            "method": self.recipe.method,
            "ood_threshold": self.ood_threshold,
            "temperature": self.temperature,
            "metrics": {key: self.metrics[key] for key in self.metrics if key != "confusion"},
        }

    def warm_up(self, name: str, others: Iterable[Any]) -> None:
        """Read the training photos, share the network of one of `others`, and predict once.

        `name`: of the file, for errors. Raises WeightsError, ClassifierFileError.
        """
        _ = self.training_photos
        for other in others:
            if isinstance(other, Classifier) and other.backbone == self.backbone:
                self.engine = other.engine
        size = self.backbone.preprocessing.size
        for count in (1, self.engine.batch):
            grey = np.full((count, size, size, 3), 128, np.uint8)
            self.predict_features([name] * count, expect_usable(self.engine.run(grey), name))

    def explain_decoded(self, name: str, image: DecodedImage, label: str | None = None) -> Any:
        """The `Explanation` for a decoded photo."""
        import eyespot

        return eyespot.explain.decoded(self, name, image, label)

    # --- file --------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write NAME.eyespot, atomically. Raises ClassifierFileError as `storage.write` does."""
        storage.write(path_of(path), self, self.training_photos)

    @classmethod
    def load(cls, path: str | Path) -> "Classifier":
        """Read NAME.eyespot. Raises ClassifierFileError and WeightsError as `storage.read` does."""
        model, photos = storage.read(path_of(path))
        return cls(**vars(model), _training_photos=photos)


def _step(name: str) -> Any:
    """A module that makes classifiers, or results of them, and therefore imports this one."""
    return import_module(f"eyespot.tasks.classification.{name}")
