"""Quantise the network of an ONNX file to int8, and measure the loss of accuracy.

Static quantisation: the input of each convolution is rounded within its range on calibration
photos, the kernels channel by channel (Jacob et al., "Quantization and Training of Neural Networks
for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 2.1; per channel:
Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018, section
3.1). Operations before and after the network stay in float32.
"""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.arrays import U8
from eyespot.data.finding import Finding
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, Skipped
from eyespot.data.splits import fold_of
from eyespot.errors import DatasetError, ExportError
from eyespot.evaluation import percent, percent_interval
from eyespot.evaluation.intervals import paired_interval
from eyespot.export.check import Run, readable
from eyespot.export.formats import run_onnx
from eyespot.progress import Progress
from eyespot.shown import shortened
from eyespot.tasks.classification.classifier import Classifier

MAX_LOSS = 0.02
MOST_CALIBRATING = 100
MOST_MEASURED = 1000


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of accuracy on `measured` photos, other than the `calibrated` ones.

    `before`, `after`: accuracy; a rejected photo ("none of these") counts as misclassified.
    `loss`: before - after; `interval`: its 95% CI. `findings`: about the photos.
    """

    calibrated: int
    measured: int
    before: float
    after: float
    loss: float
    interval: tuple[float, float]
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"findings": [finding.to_dict() for finding in self.findings]}


def to_int8(
    content: bytes,
    classifier: Classifier,
    photos: str | Path,
    max_loss: float = MAX_LOSS,
    progress: Progress = lambda stage, done, total: None,
) -> tuple[bytes, Loss]:
    """The quantised file and its loss. `photos`: labelled with the classifier's classes; one half
    calibrates the ranges, the other measures the loss.

    Raises ExportError if the loss is more than `max_loss`, DatasetError if photos do not fit.
    """
    dataset = _labelled(photos, classifier)
    skipped = list(dataset.skipped)
    labels = np.array([classifier.classes.index(photo.label or "") for photo in dataset.photos])
    half = fold_of(labels, np.arange(len(labels)), 2)

    def read(part: int, stage: str, most: int) -> Iterator[tuple[U8, int]]:
        """Pixels and labels of the photos of a half, in random order."""
        order = np.random.default_rng(0).permutation(np.flatnonzero(half == part))[:most]
        chosen = [dataset.photos[index] for index in order]
        for number, pixels in readable(chosen, classifier, stage, progress, skipped):
            yield pixels, int(labels[order[number]])

    calibrating = [pixels for pixels, _ in read(0, "Reading photos", MOST_CALIBRATING)]
    if not calibrating:
        raise DatasetError("Too few readable photos to calibrate with. Name 20 or more.")
    quantised = _quantised(content, calibrating)
    runs = (run_onnx(content), run_onnx(quantised))
    right = np.array(
        [
            [_predicted(run, pixels) == label for run in runs]
            for pixels, label in read(1, "Measuring the loss", MOST_MEASURED)
        ]
    )
    if not len(right):
        raise DatasetError("Too few readable photos to measure with. Name 20 or more.")
    before, after = right.mean(axis=0).tolist()
    loss = Loss(
        calibrated=len(calibrating),
        measured=len(right),
        before=before,
        after=after,
        loss=before - after,
        interval=paired_interval(right[:, 0], right[:, 1]),
        skipped=tuple(skipped),
        findings=dataset.findings,
    )
    if loss.loss > max_loss:
        raise ExportError(
            f"int8 lowers the accuracy on {loss.measured:,} photos from {percent(before)} to "
            f"{percent(after)}: a loss of {percent(loss.loss)} (95% CI "
            f"{percent_interval(loss.interval)}), and at most {percent(max_loss)} is allowed. "
            "Nothing was written. Calibrate with more photos, allow more with --max-loss, or "
            "leave out --int8."
        )
    return quantised, loss


def _labelled(photos: str | Path, classifier: Classifier) -> Dataset:
    """The photos with a label. Raises DatasetError for a label that is not one of the classes."""
    dataset = open_photos(photos, least_classes=1)
    foreign = sorted(set(dataset.classes) - set(classifier.classes))
    if foreign:
        raise DatasetError(
            f"The classes are {shortened(classifier.classes)}; the photos to calibrate with are "
            f"also labelled {shortened(foreign)}. Rename or remove those folders."
        )
    labelled = tuple(photo for photo in dataset.photos if photo.label is not None)
    return Dataset(labelled, dataset.skipped, dataset.findings)


def _predicted(run: Run, pixels: U8) -> int | None:
    probabilities, _, unknown = run(pixels)
    return None if unknown else int(np.argmax(probabilities))


def _quantised(content: bytes, images: list[U8]) -> bytes:
    import onnx
    from onnxruntime import quantization

    class Images(quantization.CalibrationDataReader):  # type: ignore[misc]
        left = iter(images)

        def get_next(self) -> dict[str, Any] | None:
            pixels = next(self.left, None)
            return None if pixels is None else {"image": pixels[None]}

    logging.disable(logging.WARNING)  # it recommends preprocessing that torch's exporter has done
    try:
        with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
            out = Path(folder) / "int8.onnx"
            quantization.quantize_static(
                onnx.load_from_string(content),
                out,
                Images(),
                per_channel=True,
                op_types_to_quantize=["Conv"],
            )
            return out.read_bytes()
    finally:
        logging.disable(logging.NOTSET)
