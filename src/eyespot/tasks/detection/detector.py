"""A trained detector: predict, evaluate, save.

Prediction imports neither torch nor scikit-learn where the converted network is in the cache.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.boxes.dataset import BoxDataset
from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.data.decode import DecodedImage
from eyespot.data.given import PhotoLike, many, path_of, photo_of, readable_photo
from eyespot.data.job_folder import Job
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import ClassifierFileError, PhotoError
from eyespot.evaluation.boxes import Detections
from eyespot.evaluation.detection_calibration import calibrate
from eyespot.features.backbone import DEFAULT
from eyespot.features.dense import DenseEngine
from eyespot.progress import Progress
from eyespot.shown import shortened
from eyespot.tasks.detection import storage
from eyespot.tasks.detection.engine import detector_engine
from eyespot.tasks.detection.frame import Frame, frame_of
from eyespot.tasks.detection.images import annotated_photo, crops_of
from eyespot.tasks.detection.manifest import Model, head_digest, start_of
from eyespot.tasks.detection.method import DENSE, method_called
from eyespot.tasks.detection.options import TeachOptions
from eyespot.tasks.detection.prediction import Box, DetectionPrediction
from eyespot.tasks.detection.track import TrackedFrame, Tracker
from eyespot.tasks.predict_table import TableWork

if TYPE_CHECKING:
    from eyespot.tasks.detection.result import DetectionResult, DetectionTeachResult

AHEAD = 4
"""Photos of each thread that are read before their predictions are asked for."""


@dataclass(repr=False)
class Detector(Model):
    """Backbone, head, class names, calibration and score thresholds; fields as of `Model`."""

    noun: ClassVar[str] = "detector"
    prediction: ClassVar[type[DetectionPrediction]] = DetectionPrediction
    formats: ClassVar[Sequence[str]] = ("onnx", "openvino", "web")
    short_side: ClassVar[int | None] = None

    _engine: DenseEngine | None = None

    def __repr__(self) -> str:
        names = f"{len(self.classes):,} classes: {shortened(self.classes, 5)}"
        return f"Detector({names}; {method_called(self.method).WORDS} of {self.backbone.name})"

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the engine, which a copy opens on first use."""
        return self.__dict__ | {"_engine": None}

    @property
    def engine(self) -> DenseEngine:
        """The engine that runs backbone and head here, opened on first use."""
        if self._engine is None:
            self._engine = detector_engine(self)
        return self._engine

    # --- prediction --------------------------------------------------------------------------

    def predict(self, photo: Photo | PhotoLike) -> DetectionPrediction:
        """The boxes in one photo, given as to `Classifier.predict`. Raises PhotoError if the photo
        cannot be read."""
        given = photo_of(photo)
        return self.predict_frame(given.name, frame_of(given.read()))

    def predict_batch(self, photos: Iterable[Photo | PhotoLike]) -> Iterator[DetectionPrediction]:
        """The boxes in each photo, in order; the prediction of an unreadable one has an `error`.

        Photos are read on all cores; memory is bounded for any number of photos. Raises
        DatasetError for a single photo.
        """
        numbered = enumerate(many(photos))
        given = (readable_photo(photo, f"photo {number}") for number, photo in numbered)
        return (prediction for _, prediction in self._stream(given))

    def _stream(self, photos: Iterable[Photo]) -> Iterator[tuple[int, DetectionPrediction]]:
        rest = enumerate(photos)
        engine = self.engine
        with engine.pool() as pool:
            pending: list[tuple[int, Future[DetectionPrediction]]] = []
            while True:
                missing = AHEAD * engine.workers - len(pending)
                for number, photo in islice(rest, missing):
                    pending.append((number, pool.submit(self._predict_photo, photo)))
                if not pending:
                    return
                number, work = pending.pop(0)
                yield number, work.result()

    def _predict_photo(self, photo: Photo) -> DetectionPrediction:
        try:
            return self.predict_frame(photo.name, frame_of(photo.read()))
        except PhotoError as error:
            return DetectionPrediction(photo.name, error=str(error))

    def predict_frame(self, name: str, frame: Frame) -> DetectionPrediction:
        """The boxes in a photo called `name` that reach the thresholds."""
        found = self.detect(frame)
        shown = found.scores >= self.thresholds[found.labels]
        boxes = tuple(
            Box(self.classes[label], float(score), *map(float, box))
            for box, label, score in zip(
                found.boxes[shown], found.labels[shown], found.scores[shown], strict=True
            )
        )
        ranked = tuple(sorted(boxes, key=lambda box: -box.probability))
        return DetectionPrediction(name, ranked, frame.width, frame.height)

    def detect(self, frame: Frame) -> Detections:
        """All detections, in pixels of the photo, with calibrated scores; also those below the
        thresholds. Raises ClassifierFileError if the network gives NaN or Inf."""
        outputs = self.engine.run(frame.pixels)
        if not all(np.isfinite(one).all() for one in outputs):
            raise ClassifierFileError(
                f"The detector's head on {self.backbone.name} gives NaN or Inf. Teach it again, or "
                "restore it from a copy."
            )
        found = method_called(self.method).detections(*outputs)
        boxes = frame.to_photo(found.boxes)
        return calibrate(self.calibration, Detections(boxes, found.labels, found.scores))

    def was_trained_on(self, sha256: str) -> bool:
        """Whether a photo with this hash of its content was a training photo."""
        return bool(np.isin(np.uint64(start_of(sha256)), self.trained_on))

    def table_work(self) -> TableWork:
        """For `predict_table.write_predictions`."""
        job: Job = {"table": "boxes", "detector": self.fingerprint()}
        return TableWork(job, self._stream, lambda rows: [found for _, found in rows])

    def fingerprint(self) -> str:
        """A hash of everything that predictions depend on."""
        facts = [self.classes, self.backbone.network, head_digest(self), self.thresholds.tolist()]
        facts += [self.calibration.slopes.tolist(), self.calibration.offsets.tolist()]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def images(
        self,
        photo: Image.Image,
        prediction: DetectionPrediction,
        *,
        annotated: bool = False,
        crops: bool = False,
    ) -> Iterator[tuple[str, str, Image.Image]]:
        """The `annotated` photo with its boxes, and `crops`: the part of each box with its label;
        see the protocol."""
        if annotated:
            yield "annotated", "", annotated_photo(photo, prediction, self.classes)
        if crops:
            for label, part in crops_of(photo, prediction):
                yield "crops", label, part

    def watch(self, frames: Iterator[NDArray[np.uint8]]) -> Iterator[list[str]]:
        """For each frame of a video uint8 RGB [H, W, 3]: an empty line, then the counts, of the
        frame and of all tracks so far."""
        for _, tracked in self.track(frames):
            counts, totals = tracked.prediction.counts(), tracked.totals
            labels = dict.fromkeys((*counts, *totals))
            yield [
                "",
                *(
                    f"{counts.get(label, 0):>6,}  {label}, {totals.get(label, 0):,} in all"
                    for label in labels
                ),
            ]

    def track(
        self, frames: Iterator[NDArray[np.uint8]]
    ) -> Iterator[tuple[NDArray[np.uint8], TrackedFrame]]:
        """Each frame of a video uint8 RGB [H, W, 3] with its boxes and the tracks they belong to;
        see `tasks.detection.track`."""
        tracker = Tracker()
        for frame in frames:
            yield frame, tracker.update(self.predict_frame("frame", frame_of(frame)))

    def draw_tracked(self, frame: NDArray[np.uint8], tracked: TrackedFrame) -> NDArray[np.uint8]:
        """A copy of a frame with boxes, and the number of the track of each."""
        image = Image.fromarray(frame)
        drawn = annotated_photo(image, tracked.prediction, self.classes, tracked.tracks)
        return np.asarray(drawn)

    # --- training, evaluation, explanation, export -------------------------------------------

    @staticmethod
    def annotations(source: Path) -> str | None:
        """The format of boxes in `source`, such as "boxes (Pascal VOC)"; None without boxes."""
        found = box_format(source)
        return found and f"boxes ({found})"

    @staticmethod
    def open(source: Path, *, new: bool) -> BoxDataset:
        """Photos with boxes, see `open_boxes`."""
        return open_boxes(source)

    @staticmethod
    def teach(
        photos: Any,
        *,
        backbone: str = DEFAULT,
        method: str = DENSE,
        use_cache: bool = True,
        progress: Progress = lambda stage, done, total: None,
    ) -> "DetectionTeachResult":
        """A new detector; see `tasks.detection.teach.teach`."""
        options = TeachOptions(backbone, method, use_cache, progress)
        result: DetectionTeachResult = _step("teach").teach(photos, options)
        return result

    def evaluate(
        self, photos: Any, *, progress: Progress = lambda stage, done, total: None
    ) -> "DetectionResult":
        """The result on annotated photos; see `tasks.detection.evaluate.evaluate`."""
        result: DetectionResult = _step("evaluate").evaluate(self, photos, progress)
        return result

    def explain(self, photo: Photo | PhotoLike, *, box: int | None = None) -> Any:
        """The `DetectionExplanation` of the most probable boxes, or of one; see
        `eyespot.explain`."""
        import eyespot

        return eyespot.explain(self, photo, box=box)

    def export(
        self,
        to: str,
        path: str | Path,
        *,
        name: str | None = None,
        check_with: str | Path | None = None,
        onnxruntime: str | Path | None = None,
        progress: Progress = lambda stage, done, total: None,
    ) -> Any:
        """Write the detector as "onnx", "openvino" or "web"; see `eyespot.export`."""
        import eyespot

        return eyespot.export(
            self,
            to,
            path,
            name=name,
            check_with=check_with,
            onnxruntime=onnxruntime,
            progress=progress,
        )

    # --- behind a server ---------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """The description of the detector."""
        return {
            "labels": list(self.classes),
            "backbone": self.backbone.name,
            "method": self.method,
            "metrics": self.metrics,
        }

    def warm_up(self, name: str, others: Iterable[Any]) -> None:
        """Predict once, so that the first request is fast. `others` share nothing."""
        self.predict_frame(name, frame_of(np.full((480, 640, 3), 128, np.uint8)))

    def decoder(self) -> Callable[[bytes], Frame]:
        """A function of an encoded photo. Raises PhotoError."""
        return frame_of

    def predict_decoded(
        self, names: Sequence[str], photos: Sequence[Frame], tops: Sequence[int]
    ) -> list[DetectionPrediction]:
        """The predictions of decoded photos; `tops` has no meaning for boxes."""
        return [self.predict_frame(name, frame) for name, frame in zip(names, photos, strict=True)]

    def explain_decoded(self, name: str, image: DecodedImage) -> Any:
        """As `explain`."""
        return self.explain(Photo(name, MemorySource(image.pixels)))

    # --- file --------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write NAME.eyespot, atomically. Raises ClassifierFileError as `storage.write` does."""
        storage.write(path_of(path), self)

    @classmethod
    def load(cls, path: str | Path) -> "Detector":
        """Read NAME.eyespot. Raises ClassifierFileError and WeightsError as `storage.read` does."""
        return cls(**vars(storage.read(path_of(path))))


def _step(name: str) -> Any:
    """A module that makes detectors, or results of them, and therefore imports this one."""
    return import_module(f"eyespot.tasks.detection.{name}")
