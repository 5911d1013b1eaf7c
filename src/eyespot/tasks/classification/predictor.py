"""The predictions of a classifier: one photo, many, decoded ones, and by features.

Predicting imports neither torch nor scikit-learn.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.given import PhotoLike, many, photo_of, readable_photo, whole_number
from eyespot.data.photos import Photo
from eyespot.data.transforms import needed_short_side, photo_input
from eyespot.errors import ClassifierFileError, PhotoError
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import head_inputs, stream
from eyespot.features.usable import fault_of
from eyespot.heads.calibration import softmax
from eyespot.tasks.classification.manifest import Model
from eyespot.tasks.classification.prediction import Prediction

if TYPE_CHECKING:
    from eyespot.tasks.predict_table import TableWork


@dataclass(repr=False)
class Predictor(Model):
    """A model that predicts; see `Classifier`."""

    prediction: ClassVar[type[Prediction]] = Prediction

    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine that runs the backbone here, opened on first use."""
        if self._engine is None:
            self._engine = open_engine(self.backbone)
        return self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._engine = engine

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
        numbered = enumerate(many(photos))
        given = [readable_photo(photo, f"photo {number}") for number, photo in numbered]
        return self._stream(given, top)

    def _stream(self, photos: Sequence[Photo], top: int) -> Iterator[Prediction]:
        for item in stream(photos, self.backbone, self.engine):
            name = photos[item.index].name
            if item.record is None:
                yield Prediction(name, error=item.error)
            else:
                yield self.predict_features([name], item.record.features[None], top)[0]

    def table_work(self, *, top: int = 5) -> "TableWork":
        """The part of a classifier in `eyespot.tasks.predict_table`."""
        from eyespot.tasks.classification.predict_table import table_work

        return table_work(self, top)

    def watch(self, frames: Iterable[NDArray[np.uint8]], *, top: int = 5) -> Iterator[list[str]]:
        """Lines of text about each frame uint8 RGB [H, W, 3] of a video."""
        for frame in frames:
            yield self.predict(frame, top=top).frame_lines()

    def images(
        self, photo: Image.Image, prediction: Prediction
    ) -> Iterator[tuple[str, str, Image.Image]]:
        """None: a label has no place in a photo."""
        return iter(())

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

    # --- behind a server ---------------------------------------------------------------------

    @property
    def short_side(self) -> int:
        """Least short side, in pixels, at which to decode a photo for `explain_decoded`."""
        return needed_short_side(self.backbone.preprocessing)

    def decoder(self) -> Callable[[bytes], NDArray[np.uint8]]:
        """A function from an encoded photo to the network's input; it can be pickled."""
        return partial(photo_input, preprocessing=self.backbone.preprocessing)

    def predict_decoded(
        self, names: Sequence[str], photos: Sequence[NDArray[np.uint8]], tops: Sequence[int]
    ) -> list[Prediction]:
        """Classify photos called `names` by the network's inputs, each with its `top` classes."""
        features = self.engine.run(np.stack(photos))
        found = self.predict_features(names, features, max(tops))
        return [replace(one, top=one.top[:top]) for one, top in zip(found, tops, strict=True)]


def _checked_top(top: int) -> int:
    return whole_number(top, "top is the number of classes to show")
