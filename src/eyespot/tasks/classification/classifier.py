"""A taught classifier: what it recognises, how sure it may be, and how to teach it more.

Using one imports neither torch nor scikit-learn; teaching it more does.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot import __version__
from eyespot.data.decode import decode
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
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import (
    ClassifierFileError,
    DatasetError,
    PhotoError,
    UsageError,
    WeightsError,
)
from eyespot.features.backbone import POOLING, Backbone, imagenet_backbone
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import (
    Features,
    block_widths,
    embed,
    head_inputs,
    join_features,
    stream,
)
from eyespot.features.own_weights import keep_own, own_file
from eyespot.features.usable import fault_of
from eyespot.heads.calibration import softmax
from eyespot.heads.ood import Familiarity
from eyespot.heads.scorers import LogitsScorer, Scorer
from eyespot.shown import shown
from eyespot.tasks.classification import file as classifier_file
from eyespot.tasks.classification.manifest import Recipe, packed_metrics, read_manifest
from eyespot.tasks.classification.training_photos import (
    TrainingPhotos,
    photo_arrays,
    read_training_photos,
)
from eyespot.weights.find import find_weights
from eyespot.weights.zoo import find

__all__ = ["Classifier", "Prediction", "Recipe", "TrainingPhotos", "imagenet", "load", "model_card"]

CROSS_VALIDATED = "held-out photos by cross-validation"
NESTED = "held-out photos by nested cross-validation, model selection inside"
"""What an accuracy was measured on. Nested: the method, too, was selected without the photos that
it is measured on."""


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


@dataclass(repr=False)
class Classifier:
    """Preprocessing, backbone, head, class names, and how sure it is allowed to be.

    `scorer`: the taught head. `temperature` divides its scores. A photo whose `familiarity` is
    below `threshold` is "none of these". `metrics`: what the evaluation found, as it goes into
    the file. `taught`: None if the photos' features were not kept.
    """

    classes: tuple[str, ...]
    backbone: Backbone
    recipe: Recipe
    scorer: Scorer
    temperature: float = 1.0
    familiarity: Familiarity | None = None
    threshold: float = -1.0
    metrics: dict[str, Any] = field(default_factory=dict)
    _training_photos: TrainingPhotos | Callable[[], TrainingPhotos | None] | None = None
    _engine: Engine | None = None

    def __repr__(self) -> str:
        from eyespot.evaluation import percent

        count, found = len(self.classes), ""
        if "top1" in self.metrics:
            share, photos = percent(self.metrics["top1"]), self.metrics["count"]
            found = f", right on {share} of {photos:,} photos"
        return (
            f"Classifier({count} classes: {shortened(self.classes, 5)}; {self.recipe.method} on "
            f"{self.backbone.name}{found})"
        )

    @property
    def training_photos(self) -> TrainingPhotos | None:
        """The taught photos' features, read from the file when first asked for."""
        if callable(self._training_photos):
            self._training_photos = self._training_photos()
        return self._training_photos

    @property
    def engine(self) -> Engine:
        """What runs the backbone here, opened when first needed."""
        if self._engine is None:
            self._engine = open_engine(self.backbone)
        return self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._engine = engine

    def __getstate__(self) -> dict[str, Any]:
        """All but the engine, which a copy opens anew when it is first asked; with a network of its
        own, which another machine lacks."""
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

    # --- answering -------------------------------------------------------------------------

    def predict(self, picture: Photo | PhotoLike, *, top: int = 5) -> Prediction:
        """What is on one picture: a Photo, a path, an encoded file (bytes, or open), an array or
        tensor uint8 [H, W, 3], a Pillow image.

        An open file is read from its start. Raises PhotoError if it cannot be read, or is none.
        """
        top = _checked_top(top)
        photo = photo_of(picture)
        pixels = self.prepare(photo.read())
        (answer,) = self.answer([photo.name], self.engine.run(pixels[None]), top)
        if answer.error:
            raise PhotoError(answer.error)
        return answer

    def predict_many(
        self, photos: Iterable[Photo | PhotoLike], *, top: int = 5
    ) -> Iterator[Prediction]:
        """Each photo once, about in order; one that cannot be read gets an answer with an `error`.

        `photos`: of what `predict` takes. They are decoded on all cores; memory is bounded however
        many there are. Raises DatasetError for a single photo, UsageError if `top` is less than 1.
        """
        top = _checked_top(top)
        asked = [_asked(photo, f"picture {number}") for number, photo in enumerate(many(photos))]
        return self._answers(asked, top)

    def _answers(self, asked: Sequence[Photo], top: int) -> Iterator[Prediction]:
        for item in stream(asked, self.backbone, self.engine):
            name = asked[item.index].name
            if item.record is None:
                yield Prediction(name, error=item.error)
            else:
                yield self.answer([name], item.record.features[None], top)[0]

    def prepare(self, picture: bytes | NDArray[Any] | Image.Image) -> NDArray[np.uint8]:
        """What the network takes of a picture: uint8 RGB [S, S, 3]. Raises PhotoError."""
        preprocessing = self.backbone.preprocessing
        pixels = decode(picture, short_side=needed_short_side(preprocessing)).pixels
        return prepare(pixels, preprocessing)

    def answer(
        self, names: Sequence[str], features: NDArray[np.floating], top: int = 5
    ) -> list[Prediction]:
        """What is on pictures called `names`, by their features [n, D], as the engine gives them;
        an `error` where they are no numbers that a head can use.

        Raises UsageError if `top` is less than 1.
        """
        top = _checked_top(top)
        faults = list(map(fault_of, features))
        if any(faults):
            usable = [not fault for fault in faults]
            kept = [name for name, fits in zip(names, usable, strict=True) if fits]
            answers = iter(self.answer(kept, features[usable], top) if kept else ())
            return [
                Prediction(name, error=fault) if fault else next(answers)
                for name, fault in zip(names, faults, strict=True)
            ]
        probabilities, familiarity = self.judge(features)
        best = np.argsort(-probabilities, axis=1)[:, :top]
        return [
            Prediction(
                path=name,
                top=tuple((self.classes[index], float(row[index])) for index in first),
                unknown=bool(known < self.threshold),
                familiarity=float(known),
            )
            for name, row, first, known in zip(names, probabilities, best, familiarity, strict=True)
        ]

    def judge(
        self, features: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Probabilities [n, K] and familiarity [n] (NaN if not learnt) of features [n, D]."""
        layout = self.engine.layout
        known = np.full(len(features), np.nan, dtype=np.float32)
        try:
            with np.errstate(all="ignore"):  # what comes of it is looked at
                scores = self.scorer.scores(head_inputs(features, layout, self.recipe.blocks))
                if self.familiarity is not None:
                    known = self.familiarity(head_inputs(features, layout, (self.backbone.last,)))
                shares = softmax(scores / self.temperature)
            if not np.isfinite(shares).all():
                raise ValueError("what it says are no numbers")
        except (KeyError, ValueError, IndexError) as error:
            raise ClassifierFileError(
                f"The classifier's head does not fit the features of {self.backbone.name} "
                f"({error}). Teach it again, or restore it from a copy."
            ) from error
        return shares, known

    # --- teaching it more --------------------------------------------------------------------

    def add_photos(self, name: str, photos: str | Path | Iterable[PhotoLike]) -> list[Skipped]:
        """Teach more photos of `name`, a class known or new; no known photo is read again.

        `photos`: a folder, a file, or a list of what `predict` takes. The head is learnt again by
        the same recipe, its temperature and threshold are set anew. Returns the photos that could
        not be read. Raises UsageError if the photos' features were not kept.
        """
        taught, name = self.require_training_photos(), class_name(name)
        if isinstance(photos, str | PathLike):
            found = list(find_photos(path_of(photos)).photos)
        else:
            found = named_photos(many(photos))
        new = [replace(photo, label=name) for photo in found]
        features, kept, skipped = embed(new, self.backbone, self.engine)
        if not kept:
            raise DatasetError(f"None of the {len(new)} photos of {name} could be read.")
        if taught.features.layout != features.layout:
            raise ClassifierFileError(
                "The classifier's file is damaged: its photos were looked at with other features "
                f"than {self.backbone.name} gives. Teach it again, or restore it from a copy."
            )
        classes = self.classes if name in self.classes else (*self.classes, name)
        fresh = self.unknown_photos_of(features, [name] * len(kept))
        labels = np.append(taught.labels, np.full(len(fresh), classes.index(name)))
        joined = join_features(taught.features, features.take(fresh))
        self._relearn(classes, TrainingPhotos(joined, labels))
        return skipped

    def add_class(self, name: str, photos: str | Path | Iterable[PhotoLike]) -> list[Skipped]:
        """Teach a new class. Raises UsageError if there is one of that name; see `add_photos`."""
        name = class_name(name)
        if name in self.classes:
            raise UsageError(
                f"There is a class {shown(name)} already; use add_photos for more of it."
            )
        return self.add_photos(name, photos)

    def remove_class(self, name: str) -> None:
        """Forget a class. Raises UsageError if it is unknown, or one of the last two."""
        gone = self._index(name)
        if len(self.classes) <= 2:
            raise UsageError("A classifier needs two classes; this one has no more.")
        taught = self.require_training_photos()
        kept = np.flatnonzero(taught.labels != gone)
        labels = taught.labels[kept]
        classes = tuple(c for c in self.classes if c != name)
        photos = TrainingPhotos(taught.features.take(kept), labels - (labels > gone))
        self._relearn(classes, photos)

    def rename_class(self, old: str, new: str) -> None:
        """Call a class something else. Raises UsageError if `old` is unknown or `new` is taken."""
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

    def unknown_photos_of(self, features: Features, labels: Sequence[str | None]) -> list[int]:
        """Indices of the photos that were not taught under their label yet."""
        taught = self.require_training_photos()
        names = [self.classes[label] for label in taught.labels]
        known = set(zip(taught.features.sha256, names, strict=True))
        pairs = zip(features.sha256, labels, strict=True)
        return [index for index, pair in enumerate(pairs) if pair not in known]

    def require_training_photos(self) -> TrainingPhotos:
        """The taught photos' features. Raises UsageError if they were not kept."""
        if self.training_photos is None:
            why = "has forgotten its photos (--forget-photos)"
            if self.backbone.reads_logits:
                why = "answers with its network's own head, which learnt from the photos themselves"
            raise UsageError(
                f"This classifier {why}, so it cannot be changed or taught more. Teach it anew "
                "with all the photos."
            )
        return self.training_photos

    def _relearn(self, classes: tuple[str, ...], taught: TrainingPhotos) -> None:
        from eyespot.data.duplicates import find_duplicates
        from eyespot.data.splits import FOLDS, fold_of, folds
        from eyespot.evaluation import evaluate
        from eyespot.evaluation.relearn import relearn
        from eyespot.heads import make_method

        features, labels = taught.features, taught.labels
        last = features.inputs((self.backbone.last,))
        groups = find_duplicates(features.sha256, features.dhash, features.thumbnails).group
        parts = fold_of(labels, groups, FOLDS)
        learnt = relearn(
            make_method(self.recipe.method),
            self.recipe.hyperparameter,
            features.inputs(self.recipe.blocks),
            block_widths(features.layout, self.recipe.blocks),
            last,
            labels,
            len(classes),
            parts,
            folds(parts),
        )
        self.scorer, self.temperature = learnt.scorer, learnt.temperature
        self.familiarity, self.threshold = learnt.familiarity, learnt.rejection.threshold
        self.metrics = {
            **evaluate(learnt.probabilities, labels, classes, groups).to_metrics(),
            "evaluated_on": CROSS_VALIDATED,
            "rejection": learnt.rejection.to_dict(),
        }
        self.classes = classes
        self._training_photos = taught

    # --- keeping it --------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write NAME.eyespot, atomically. Raises ClassifierFileError, and leaves the file that was
        there, if the disk refuses, or if what is written could not be read again."""
        path = path_of(path)
        metrics, arrays = packed_metrics(self.metrics)
        arrays |= {f"scorer.{name}": array for name, array in self.scorer.to_arrays().items()}
        if self.familiarity is not None:
            arrays["familiarity.references"] = self.familiarity.references
        manifest = {
            "eyespot": __version__,
            "classes": list(self.classes),
            "backbone": {
                "name": self.backbone.name,
                "sha256": self.backbone.sha256,
                "blocks": list(self.backbone.blocks),
                "pooling": POOLING,
                "own": self.backbone.own,
            },
            "preprocessing": self.backbone.preprocessing.to_dict(),
            "recipe": {
                "method": self.recipe.method,
                "blocks": list(self.recipe.blocks),
                "hyperparameter": self.recipe.hyperparameter,
            },
            "scorer": self.scorer.kind,
            "temperature": self.temperature,
            "threshold": self.threshold,
            "metrics": metrics,
        }
        try:
            read_manifest(manifest, arrays)
        except ValueError as error:
            raise ClassifierFileError(
                f"The classifier cannot be saved, since {path} could not be read again: {error}."
            ) from error
        photos = None if self.training_photos is None else photo_arrays(self.training_photos)
        network = None
        if self.backbone.own:
            with own_file(self.backbone.sha256) as weights:
                network = weights.read_bytes()
        classifier_file.write(path, manifest, arrays, photos, model_card(self), network)


def _checked_top(top: int) -> int:
    return whole_number(top, "top is the number of classes to show")


def _asked(photo: object, name: str) -> Photo:
    try:
        return photo_of(photo, name)
    except PhotoError as error:  # the others get their answers
        return Photo(name, Unreadable(str(error)))


def shortened(names: Sequence[str], most: int = 20) -> str:
    """Names for a message: not all of a thousand."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def load(path: str | Path) -> Classifier:
    """Read NAME.eyespot.

    Raises ClassifierFileError if the file cannot be used, WeightsError if the backbone's weights
    are not installed or are others than those it was taught with.
    """
    path = path_of(path)
    values, arrays, _ = classifier_file.read(path)
    _require_pooling(path, values)
    try:
        found = read_manifest(values, arrays)
    except ValueError as error:
        raise classifier_file.damaged(path, f"its manifest or arrays: {error}") from error
    _require_weights(path, found.backbone)
    return Classifier(
        classes=found.classes,
        backbone=found.backbone,
        recipe=found.recipe,
        scorer=found.scorer,
        temperature=found.temperature,
        familiarity=found.familiarity,
        threshold=found.threshold,
        metrics=found.metrics,
        _training_photos=partial(
            _read_training_photos, path.absolute(), len(found.classes), found.backbone
        ),
    )


def _require_pooling(path: Path, manifest: dict[str, Any]) -> None:
    """Another eyespot's features: the one fault for which the file is not to blame."""
    backbone = manifest.get("backbone")
    pooling = backbone.get("pooling") if isinstance(backbone, dict) else None
    if isinstance(pooling, int) and pooling != POOLING:
        raise ClassifierFileError(
            f"{path} was taught with features of kind {shown(pooling)}, this eyespot computes "
            f"those of kind {POOLING}. Teach it again, or use the eyespot that made it "
            f"({shown(manifest.get('eyespot'))})."
        )
    if pooling != POOLING:
        raise classifier_file.damaged(path, f"its pooling is {shown(pooling)}")


def _require_weights(path: Path, backbone: Backbone) -> None:
    """See that the weights a classifier was taught with are on this machine."""
    try:
        network = find(backbone.name)
    except UsageError as error:
        raise classifier_file.damaged(path, f"its backbone: {error}") from error
    if backbone.own:
        content = classifier_file.read_network(path)
        if hashlib.sha256(content).hexdigest() != backbone.sha256:
            raise classifier_file.damaged(path, "its network is not the one it was taught with")
        keep_own(content)
        return
    installed = find_weights(network, fetch=False)  # files may be from strangers
    if installed.sha256 != backbone.sha256:
        raise WeightsError(
            f"{path} was taught with {backbone.name} weights {backbone.sha256[:12]}, installed "
            f"are {installed.sha256[:12]}. Install the same weights, or teach it again."
        )
    taken, known = backbone.preprocessing, installed.preprocessing
    if (taken.size, taken.mean, taken.std) != (known.size, known.mean, known.std):
        raise classifier_file.damaged(
            path,
            f"{backbone.name} takes other pixels, or {known.size} x {known.size} of them, than it "
            "says",
        )


def _read_training_photos(path: Path, classes: int, backbone: Backbone) -> TrainingPhotos | None:
    arrays = classifier_file.read_photos(path)
    if arrays is None:
        return None
    try:
        return read_training_photos(arrays, classes, backbone)
    except ValueError as error:
        raise classifier_file.damaged(path, f"its photos: {error}") from error


def model_card(classifier: Classifier) -> str:
    """What it is, how good, made from what: Markdown, for people who open the file."""
    from eyespot.evaluation import percent, percent_interval

    metrics = classifier.metrics
    lines = [
        "# An eyespot classifier",
        "",
        f"Recognises: {', '.join(classifier.classes)}.",
        "",
        f"- Network: {classifier.backbone.name}, weights sha256 {classifier.backbone.sha256}",
        f"- Head: {classifier.recipe.method} on {', '.join(classifier.recipe.blocks)}",
    ]
    if "top1" in metrics:
        low, high = metrics["top1_interval"]
        lines += [
            f"- Accuracy {percent(metrics['top1'])} on {metrics['evaluated_on']} (95% CI "
            f"{percent_interval((low, high))}, n = {metrics['count']:,})",
            f"- Calibration error (ECE): {metrics['ece']:.3f}",
        ]
    lines += [f"- Photos: {message}" for message in metrics.get("source", ())]
    lines += [
        "",
        "It knows what it was taught: photos from another camera, place or season may be "
        "recognised less often than these figures say.",
        "",
        "Use it with: `eyespot predict PHOTO -m NAME.eyespot`",
        "",
    ]
    return "\n".join(lines)


def imagenet(backbone: str = "efficientnet_lite0") -> Classifier:
    """A network's own classifier, by default of the 1000 ImageNet classes, as a Classifier.

    Photos are cropped as ImageNet is judged. Raises WeightsError if weights are not installed, or
    do not say what their outputs mean.
    """
    body = imagenet_backbone(backbone)
    classes = find_weights(find(backbone)).class_names()
    if not classes:
        raise WeightsError(
            f"The weights of {backbone} do not say what its outputs mean. Import them with names: "
            f'eyespot.weights.importers.import_weights("{backbone}", FILE, classes=[...])'
        )
    return Classifier(
        classes=classes,
        backbone=body,
        recipe=Recipe("imagenet", (body.last,), 0.0),
        scorer=LogitsScorer(len(classes)),
        _engine=open_engine(body),
    )
