"""A trained classifier: predict, add photos and classes, save.

Prediction imports neither torch nor scikit-learn; adding photos does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.folders import find_photos
from eyespot.data.given import (
    PhotoLike,
    class_name,
    many,
    named_photos,
    path_of,
    photo_of,
    whole_number,
)
from eyespot.data.photos import Photo, Skipped, Unreadable
from eyespot.data.transforms import photo_input
from eyespot.errors import ClassifierFileError, DatasetError, PhotoError, UsageError
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import Features, embed, head_inputs, join_features, stream
from eyespot.features.own_weights import keep_own, own_file
from eyespot.features.usable import fault_of
from eyespot.heads.calibration import softmax
from eyespot.shown import shortened, shown
from eyespot.tasks.classification import notebook, storage
from eyespot.tasks.classification.manifest import Model, Recipe
from eyespot.tasks.classification.prediction import Prediction
from eyespot.tasks.classification.training_photos import TrainingPhotos

__all__ = ["Classifier", "Prediction", "Recipe", "TrainingPhotos"]


@dataclass(repr=False)
class Classifier(Model):
    """Preprocessing, backbone, head, class names, calibration and OOD threshold.

    `scorer`: the trained head. `temperature` divides its scores. A photo with an OOD
    score above `ood_threshold` is rejected as unknown. `metrics`: of its evaluation, as the file
    keeps them. `training_photos`: None if the photos' features were not kept.
    """

    _training_photos: TrainingPhotos | Callable[[], TrainingPhotos | None] | None = None
    _engine: Engine | None = None

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

    @property
    def engine(self) -> Engine:
        """The engine that runs the backbone here, opened on first use."""
        if self._engine is None:
            self._engine = open_engine(self.backbone)
        return self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._engine = engine

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

    # --- prediction --------------------------------------------------------------------------

    def predict(self, photo: Photo | PhotoLike, *, top: int = 5) -> Prediction:
        """Classify one photo: a Photo, a path, an encoded file (bytes, or open), an array or
        tensor uint8 [H, W, 3], a Pillow image.

        An open file is read from its start. Raises PhotoError if the photo cannot be read.
        """
        given = photo_of(photo)
        pixels = self.prepare(given.read())
        (prediction,) = self.predict_features([given.name], self.engine.run(pixels[None]), top)
        if prediction.error:
            raise PhotoError(prediction.error)
        return prediction

    def predict_batch(
        self, photos: Iterable[Photo | PhotoLike], *, top: int = 5
    ) -> Iterator[Prediction]:
        """Classify each photo once, about in order; the prediction of an unreadable one has an
        `error`.

        `photos`: each as `predict` takes it. They are decoded on all cores; memory is bounded
        for any number of photos. Raises DatasetError for a single photo, UsageError if `top` is
        less than 1.
        """
        top = _checked_top(top)
        given = [_readable(photo, f"photo {number}") for number, photo in enumerate(many(photos))]
        return self._stream(given, top)

    def _stream(self, photos: Sequence[Photo], top: int) -> Iterator[Prediction]:
        for item in stream(photos, self.backbone, self.engine):
            name = photos[item.index].name
            if item.record is None:
                yield Prediction(name, error=item.error)
            else:
                yield self.predict_features([name], item.record.features[None], top)[0]

    def prepare(self, photo: bytes | NDArray[Any] | Image.Image) -> NDArray[np.uint8]:
        """The network's input for a photo: uint8 RGB [S, S, 3]. Raises PhotoError."""
        return photo_input(photo, self.backbone.preprocessing)

    def predict_features(
        self, names: Sequence[str], features: NDArray[np.floating], top: int = 5
    ) -> list[Prediction]:
        """Classify photos called `names` by their features [n, D] from the engine; with an `error`
        where features are NaN or Inf.

        Raises UsageError if `top` is less than 1.
        """
        top = _checked_top(top)
        faults = list(map(fault_of, features))
        usable = np.array([not fault for fault in faults], dtype=bool)
        scored = iter(
            zip(*self.score_features(features[usable]), strict=True) if any(usable) else ()
        )
        predictions = []
        for name, fault in zip(names, faults, strict=True):
            if fault:
                predictions.append(Prediction(name, error=fault))
                continue
            row, ood_score = next(scored)
            best = np.argsort(-row)[:top]
            first = tuple((self.classes[index], float(row[index])) for index in best)
            unknown = bool(ood_score > self.ood_threshold)
            predictions.append(Prediction(name, first, unknown, float(ood_score)))
        return predictions

    def score_features(
        self, features: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Probabilities [n, K] and OOD scores [n] (NaN without a scorer) of features [n, D]."""
        layout = self.engine.layout
        ood_scores = np.full(len(features), np.nan, dtype=np.float32)
        try:
            with np.errstate(all="ignore"):  # the result is checked below
                scores = self.scorer.scores(head_inputs(features, layout, self.recipe.blocks))
                if self.ood_scorer is not None:
                    last = head_inputs(features, layout, (self.backbone.last,))
                    ood_scores = self.ood_scorer(last)
                probabilities = softmax(scores / self.temperature)
            if not np.isfinite(probabilities).all():
                raise ValueError("its probabilities are NaN or Inf")
        except (KeyError, ValueError, IndexError) as error:
            raise ClassifierFileError(
                f"The classifier's head does not fit the features of {self.backbone.name} "
                f"({error}). Teach it again, or restore it from a copy."
            ) from error
        return probabilities, ood_scores

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

    # --- evaluation, explanation, export -----------------------------------------------------

    def evaluate(self, photos: Any, labels: Iterable[Any] | None = None) -> Any:
        """The `EvaluateResult` on labelled photos; see `eyespot.evaluate`."""
        import eyespot

        return eyespot.evaluate(self, photos, labels)

    def explain(self, photo: Photo | PhotoLike, label: str | None = None) -> Any:
        """The `Explanation` of one prediction; see `eyespot.explain`."""
        import eyespot

        return eyespot.explain(self, photo, label)

    def export(self, to: str, path: str | Path) -> Any:
        """Write the classifier in another format; see `eyespot.export`."""
        import eyespot

        return eyespot.export(self, to, path)

    # --- file --------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write NAME.eyespot, atomically. Raises ClassifierFileError as `storage.write` does."""
        storage.write(path_of(path), self, self.training_photos)

    @classmethod
    def load(cls, path: str | Path) -> "Classifier":
        """Read NAME.eyespot. Raises ClassifierFileError and WeightsError as `storage.read` does."""
        model, photos = storage.read(path_of(path))
        return cls(**vars(model), _training_photos=photos)


def _checked_top(top: int) -> int:
    return whole_number(top, "top is the number of classes to show")


def _readable(photo: object, name: str) -> Photo:
    try:
        return photo_of(photo, name)
    except PhotoError as error:  # the other photos get their predictions
        return Photo(name, Unreadable(str(error)))
