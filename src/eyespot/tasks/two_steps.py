"""A detector whose boxes a classifier names: find the animal first, then its species."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.decode import decode
from eyespot.data.job_folder import Job
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import PhotoError, UsageError
from eyespot.shown import percent
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.predict_table import fingerprint
from eyespot.tasks.classification.prediction import UNKNOWN
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.images import crops_of
from eyespot.tasks.detection.prediction import Box, DetectionPrediction
from eyespot.tasks.predict_table import TableWork


@dataclass(frozen=True, slots=True)
class NamedBox(Box):
    """A box and the classifier's prediction of its content. `then_label`: None where the classifier
    rejects it as unknown; `then_probability`: of its most probable class."""

    then_label: str | None
    then_probability: float

    def more(self) -> str:
        """The classifier's prediction."""
        return f": {self.then_label or UNKNOWN} {percent(self.then_probability)}"


@dataclass(frozen=True, slots=True)
class NamedPrediction(DetectionPrediction):
    """The prediction of one photo, whose boxes are `NamedBox`."""

    BOX: ClassVar[type[Box]] = NamedBox

    def counts(self) -> dict[str, int]:
        """The number of boxes of each pair of classes, the most frequent first."""
        named = [box for box in self.boxes if isinstance(box, NamedBox)]
        pairs = (f"{box.label}: {box.then_label or UNKNOWN}" for box in named)
        return dict(Counter(pairs).most_common())


@dataclass(frozen=True, slots=True)
class TwoSteps:
    """Predicts as a `Detector` does, with the classifier's prediction of the part of each box."""

    detector: Detector
    classifier: Classifier

    noun: ClassVar[str] = "detector"
    prediction: ClassVar[type[NamedPrediction]] = NamedPrediction

    def predict(self, photo: Photo) -> NamedPrediction:
        """The named boxes in one photo. Raises PhotoError."""
        return self._named(photo, self.detector.predict(photo))

    def predict_batch(self, photos: Sequence[Photo]) -> Iterator[NamedPrediction]:
        """The named boxes in each photo, in order; the prediction of an unreadable one has an
        `error`."""
        found = self.detector.predict_batch(photos)
        return (self._named(photo, one) for photo, one in zip(photos, found, strict=True))

    def table_work(self) -> TableWork:
        """For `predict_table.write_predictions`."""
        boxes = self.detector.table_work()
        job: Job = {**boxes.job, "then": fingerprint(self.classifier)}
        return TableWork(job, boxes.read, lambda rows: [self._named(*row) for row in rows])

    def images(
        self,
        photo: Image.Image,
        prediction: NamedPrediction,
        *,
        annotated: bool = False,
        crops: bool = False,
    ) -> Iterator[tuple[str, str, Image.Image]]:
        """As of the detector; an annotated box has both classes."""
        return self.detector.images(photo, prediction, annotated=annotated, crops=crops)

    def watch(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[list[str]]:
        """For each frame of a video uint8 RGB [H, W, 3]: an empty line, then the counts."""
        for frame in frames:
            found = self.predict(Photo("frame", MemorySource(frame)))
            yield ["", *(f"{count:>6,}  {label}" for label, count in found.counts().items())]

    def _named(self, photo: Photo, found: DetectionPrediction) -> NamedPrediction:
        whole = NamedPrediction(found.path, (), found.width, found.height, found.error)
        if found.error or not found.boxes:
            return whole
        try:
            image = Image.fromarray(decode(photo.read()).pixels)
        except PhotoError as error:  # it was readable before
            return NamedPrediction(found.path, error=str(error))
        parts = [self.classifier.prepare(part) for _, part in crops_of(image, found)]
        boxes: list[Box] = []
        for start in range(0, len(parts), self.classifier.engine.batch):
            some = slice(start, start + self.classifier.engine.batch)
            names, tops = [found.path] * len(parts[some]), [1] * len(parts[some])
            predictions = self.classifier.predict_decoded(names, parts[some], tops)
            boxes += [
                NamedBox(**asdict(box), then_label=one.label, then_probability=one.probability)
                for box, one in zip(found.boxes[some], predictions, strict=True)
            ]
        return replace(whole, boxes=tuple(boxes))


def two_steps(detector: Any, classifier: Any) -> TwoSteps:
    """Both as one model. Raises UsageError if the first is no detector or the second no
    classifier."""
    if not isinstance(detector, Detector):
        raise UsageError(
            f"--then names the boxes of a detector, and -m is a {detector.noun}. Give a detector "
            "with -m, or leave --then out."
        )
    if not isinstance(classifier, Classifier):
        raise UsageError(
            f"--then takes a classifier, and this one is a {classifier.noun}. Give a classifier."
        )
    return TwoSteps(detector, classifier)
