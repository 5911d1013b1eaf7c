"""A taught classifier: what it recognises, how sure it may be, and how to teach it more.

Using one imports neither torch nor scikit-learn; teaching it more does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot import classifier_file
from eyespot.data.decode import decode
from eyespot.data.photos import Photo, find_photos
from eyespot.data.transforms import Preprocessing, needed_short_side, prepare
from eyespot.errors import ClassifierFileError, PhotoError, UsageError
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import Features, select_columns, stream
from eyespot.heads.calibration import softmax
from eyespot.heads.familiarity import Familiarity
from eyespot.heads.scorers import Scorer, scorer_from_arrays

PictureLike = str | Path | bytes | NDArray[np.uint8] | Image.Image
LAST_LAYER = "top.mean"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of one photo.

    `top`: (label, probability), the most probable first. `unknown`: the photo looks like nothing
    that was taught; `label` is then None. `error`: why the photo could not be read, else empty.
    """

    path: str
    top: tuple[tuple[str, float], ...] = ()
    unknown: bool = False
    familiarity: float | None = None
    error: str = ""

    @property
    def label(self) -> str | None:
        return self.top[0][0] if self.top and not self.unknown else None

    @property
    def probability(self) -> float:
        return self.top[0][1] if self.top else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "top": [{"label": label, "probability": p} for label, p in self.top],
            "unknown": self.unknown,
            "error": self.error or None,
        }


@dataclass(frozen=True)
class TaughtPhotos:
    """The features of the photos a classifier was taught with, so that it can be taught more.

    `labels`: int64 [n], indices of the classes.
    """

    features: Features
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How a head was learnt: enough to learn it again when photos come or go.

    `method`: name of a head. `blocks`: which features it sees. `knob`: its penalty or number of
    neighbours.
    """

    method: str
    blocks: tuple[str, ...]
    knob: float


@dataclass
class Classifier:
    """Preprocessing, backbone, head, class names, and how sure it is allowed to be.

    `scorer`: the taught head. `temperature` divides its scores. A photo whose `familiarity` is below `threshold` is "none of these".
    `metrics`: what the evaluation found, as it goes into the file. `taught`: None if the photos'
    features were not kept.
    """

    classes: tuple[str, ...]
    backbone: Backbone
    recipe: Recipe
    scorer: Scorer
    temperature: float = 1.0
    familiarity: Familiarity | None = None
    threshold: float = -1.0
    metrics: dict[str, Any] = field(default_factory=dict)
    card: str = ""
    _taught: TaughtPhotos | Callable[[], TaughtPhotos | None] | None = None
    _engine: Engine | None = None

    @property
    def taught(self) -> TaughtPhotos | None:
        """The taught photos' features, read from the file when first asked for."""
        if callable(self._taught):
            self._taught = self._taught()
        return self._taught

    @property
    def engine(self) -> Engine:
        """What runs the backbone here, opened when first needed."""
        if self._engine is None:
            self._engine = open_engine(self.backbone)
        return self._engine

    # --- answering -------------------------------------------------------------------------

    def predict(self, picture: PictureLike, *, top: int = 5) -> Prediction:
        """What is on one picture: a path, an encoded file, an array uint8 [H, W, 3], a PIL image.

        Raises PhotoError if it cannot be read.
        """
        name, data = str(picture) if isinstance(picture, str | Path) else "picture", picture
        if isinstance(data, str | Path):
            photos = find_photos([data]).photos
            if len(photos) != 1:
                raise UsageError(f"predict takes one photo, {data} holds {len(photos)}; "
                                 "use predict_many.")
            data = photos[0].read()
        return self._answer(name, self.engine.run(self._prepare(data)[None])[0], top)

    def predict_many(self, photos: Iterable[Photo], *, top: int = 5) -> Iterator[Prediction]:
        """Each photo once, about in order; one that cannot be read gets a Prediction with an `error`.

        Photos are decoded on all cores; memory is bounded however many there are.
        """
        photos = list(photos)
        for item in stream(photos, self.backbone, self.engine):
            name = photos[item.index].name
            if item.record is None:
                yield Prediction(name, error=item.error)
            else:
                yield self._answer(name, item.record.features, top)

    def _prepare(self, data: bytes | NDArray[np.uint8] | Image.Image) -> NDArray[np.uint8]:
        preprocessing = self.backbone.preprocessing
        picture = decode(data, short_side=needed_short_side(preprocessing))
        return prepare(picture.pixels, preprocessing)

    def _answer(self, name: str, features: NDArray[np.float32], top: int) -> Prediction:
        probabilities, familiarity = self.judge(features[None])
        best = np.argsort(-probabilities[0])[:top]
        return Prediction(
            path=name,
            top=tuple((self.classes[index], float(probabilities[0, index])) for index in best),
            unknown=bool(familiarity[0] < self.threshold),
            familiarity=float(familiarity[0]),
        )

    def judge(
        self, features: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Probabilities [n, K] and familiarity [n] (NaN if not learnt) of features [n, D]."""
        layout = self.engine.layout
        scores = self.scorer.scores(select_columns(features, layout, self.recipe.blocks))
        known = np.full(len(features), np.nan, dtype=np.float32)
        if self.familiarity is not None:
            known = self.familiarity(select_columns(features, layout, (LAST_LAYER,)))
        return softmax(scores / self.temperature), known
