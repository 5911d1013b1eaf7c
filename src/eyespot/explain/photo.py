"""Explain a prediction: Grad-CAM, occlusion, similar training photos, a counterfactual."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from eyespot.arrays import most_similar, unit_rows
from eyespot.data.decode import DecodedImage, decode
from eyespot.data.given import PhotoLike, photo_of
from eyespot.data.photos import Photo
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import UsageError
from eyespot.evaluation import percent
from eyespot.explain.change import MOST, Change, least_change
from eyespot.explain.occlusion import heat, slide
from eyespot.features.extract import head_inputs
from eyespot.nearest import nearest_name
from eyespot.shown import Brief, counted, shortened, shown
from eyespot.tasks.classification.classifier import Classifier, Prediction

NEAREST = 6


@dataclass(frozen=True, slots=True, repr=False)
class NearPhoto(Brief):
    """A similar training photo. `similarity`: cosine, -1..1. `thumbnail`: a JPEG file."""

    name: str
    label: str
    similarity: float
    thumbnail: bytes


@dataclass(frozen=True, repr=False)
class Explanation(Brief):
    """Why a classifier predicts a class for a photo, or why it does not predict `label`.

    `label`, `probability`: the explained class; `rival`: the most probable of the other classes.
    `image`: the network's input, uint8 [S, S, 3]; `aspect`: width / height of that area in the
    photo. `attention`: float32 [h, w] in 0..1, see `gradcam.attention`. `occlusion`: float32
    [CELLS, CELLS], see `occlusion.heat`. `near`: the most similar training photos, the nearest
    first; None if the classifier did not keep them. `change`: the smallest change found that
    changes the prediction (to `label`, if that is another class); None without one.
    """

    prediction: Prediction
    label: str
    probability: float
    rival: tuple[str, float]
    image: NDArray[np.uint8]
    aspect: float
    attention: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    near: tuple[NearPhoto, ...] | None
    change: Change | None

    @property
    def gap(self) -> float:
        """Probability of `label` minus that of `rival`."""
        return self.probability - self.rival[1]

    @property
    def answer(self) -> str:
        """The prediction on one line."""
        own = f"{self.label}, {percent(self.probability)}"
        if self.label != self.prediction.top[0][0]:
            return f"why not {own}? {self.rival[0]}, {percent(self.rival[1])}"
        return f"none of these, the nearest is {own}" if self.prediction.unknown else own

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON. Squares: left, top, right and bottom, as shares of the image."""
        change, size = self.change, len(self.image)
        return {
            **self.prediction.to_dict(),
            "label": self.label,
            "probability": self.probability,
            "rival": {"label": self.rival[0], "probability": self.rival[1]},
            "gap": self.gap,
            "attention": np.round(self.attention, 4).astype(float).tolist(),
            "occlusion": np.round(self.occlusion, 6).astype(float).tolist(),
            "near": self.near
            and [{"path": n.name, "label": n.label, "similarity": n.similarity} for n in self.near],
            "change": change
            and {
                "squares": [[round(side / size, 4) for side in box] for box in change.boxes],
                "share": change.share,
                "label": change.label,
                "probability": change.probability,
            },
        }

    def to_answer(self) -> dict[str, Any]:
        """As `to_dict`, without the paths of photos, for the answer of a server."""
        answer = self.to_dict()
        del answer["error"]
        for private in [answer, *(answer["near"] or [])]:
            del private["path"]
        return answer

    def draw(self) -> Image:
        """The evidence as one image; see `draw_explanation`."""
        from eyespot.explain.photo_page import draw_explanation

        return draw_explanation(self)

    def lines(self) -> list[str]:
        """The evidence as text, the path first."""
        rival, share = self.rival
        lines = [self.prediction.path, f"  {self.answer}"]
        if self.gap >= 0:
            points = f"{100 * self.gap:.1f} points behind"
            lines.append(f"  Second: {rival}, {percent(share)}, {points}.")
        else:
            lines.append(f"  {self.label} is {-100 * self.gap:.1f} points behind {rival}.")
        lines.append(f"  {self._change()}")
        if self.near is None:
            lines.append("  Similar training photos: unknown, the model stores none.")
        else:
            lines.append("  Similar training photos:")
            width = max((len(near.label) for near in self.near), default=0)
            lines += [f"    {n.label:{width}}  {n.similarity:5.2f}  {n.name}" for n in self.near]
        return lines

    def _change(self) -> str:
        change = self.change
        if change is None:
            to = "" if self.gap >= 0 else f" to {self.label}"
            return f"Covering up to {MOST} squares does not change the prediction{to}."
        squares = counted(len(change.boxes), "square")
        return (
            f"With {squares} covered ({percent(change.share)} of the photo) the prediction is "
            f"{change.label}, {percent(change.probability)}."
        )


def explain_photo(
    classifier: Classifier, photo: Photo | PhotoLike, label: str | None = None
) -> Explanation:
    """Explain why `classifier` predicts a class for `photo`, or why it does not predict `label`.

    `photo`: a Photo, or as `Classifier.predict` takes it. Runs the network 50 to 300 times.
    Raises PhotoError if the photo is unreadable, UsageError for an unknown label.
    """
    expect_explainable(classifier, label)
    photo = photo_of(photo)
    short_side = needed_short_side(classifier.backbone.preprocessing)
    decoded = decode(photo.read(), short_side=short_side)
    return explain_image(classifier, photo.name, decoded, label)


def expect_explainable(classifier: Classifier, label: object) -> None:
    """Raises UsageError if `label` is neither None nor a class, or if there is only one class."""
    classes = classifier.classes
    if label is not None and not (isinstance(label, str) and label in classes):
        near = nearest_name(str(label), classes)
        hint = f"did you mean {near!r}?" if near else f"the classes are {shortened(classes)}."
        raise UsageError(f"There is no class {shown(label)}; {hint}")
    if len(classes) < 2:
        raise UsageError("An explanation needs two classes or more; this classifier has one.")


def explain_image(
    classifier: Classifier, name: str, decoded: DecodedImage, label: str | None
) -> Explanation:
    """The explanation for a decoded photo called `name`, whose short side has all the pixels that
    the network needs. `label`: checked by `expect_explainable`."""
    from eyespot.explain.gradcam import attention  # brings torch

    classes, preprocessing = classifier.classes, classifier.backbone.preprocessing
    prepared = prepare(decoded.pixels, preprocessing)
    features = slide(classifier, prepared)
    (prediction,) = classifier.predict_features([name], features[:1])
    probabilities, _ = classifier.score_features(features)
    own = probabilities[0]
    predicted = int(own.argmax())
    index = predicted if label is None else classes.index(label)
    rival = next(int(other) for other in np.argsort(-own) if other != index)
    wanted = None if index == predicted else index
    return Explanation(
        prediction=prediction,
        label=classes[index],
        probability=float(own[index]),
        rival=(classes[rival], float(own[rival])),
        image=prepared,
        aspect=decoded.width / decoded.height if preprocessing.fit == "stretch" else 1.0,
        attention=attention(classifier, prepared, index),
        occlusion=heat(probabilities, index),
        near=_near(classifier, features[:1]),
        change=least_change(classifier, prepared, probabilities, wanted),
    )


def _near(classifier: Classifier, features: NDArray[np.float32]) -> tuple[NearPhoto, ...] | None:
    """The training photos most similar by features [1, D] of the last layer."""
    training = classifier.training_photos
    if training is None:
        return None
    last = (classifier.backbone.last,)
    rows = unit_rows(training.features.inputs(last))
    query = unit_rows(head_inputs(features, classifier.engine.layout, last))[0]
    return tuple(
        NearPhoto(
            training.features.names[row],
            classifier.classes[training.labels[row]],
            similarity,
            training.features.thumbnails[row],
        )
        for row, similarity in most_similar(query, rows, NEAREST)
    )
