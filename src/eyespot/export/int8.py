"""Round an ONNX file's network to eight bits, and say what that costs.

Static quantisation: what goes into each convolution is rounded by the range that it has on photos,
the kernels channel by channel (Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 2.1; per channel: Krishnamoorthi,
"Quantizing deep convolutional networks for efficient inference", 2018, section 3.1). What comes
before the network and after it stays as it is.
"""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.data.decode import decode
from eyespot.data.finding import Finding
from eyespot.data.open import open_photos
from eyespot.data.photos import Skipped
from eyespot.data.splits import fold_of
from eyespot.data.transforms import needed_short_side
from eyespot.errors import DatasetError, ExportError, PhotoError
from eyespot.evaluation import percent
from eyespot.evaluation.intervals import paired_interval
from eyespot.export.check import Run
from eyespot.export.onnx_file import run_onnx
from eyespot.progress import Progress
from eyespot.tasks.classification.classifier import Classifier, shortened

MAX_LOSS = 0.02
MOST_CALIBRATING = 100
MOST_MEASURED = 1000


@dataclass(frozen=True, slots=True)
class Loss:
    """What rounding cost on `measured` photos that were not among the `calibrated`.

    `before`, `after`: the share that was answered rightly; "none of these" is no right answer.
    `loss`: before - after; `interval` has it at 95 %. `skipped`: photos that could not be read.
    `findings`: how the photos were read.
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
    """The rounded file, and its loss. `photos`: labelled with the classifier's classes; ranges are
    taken from one half, the loss is measured on the other.

    Raises ExportError if the loss is more than `max_loss`, DatasetError if photos do not fit.
    """
    dataset = open_photos(photos, least_classes=1)
    foreign = sorted(set(dataset.classes) - set(classifier.classes))
    if foreign:
        raise DatasetError(
            f"The classifier knows {shortened(classifier.classes)}; the photos to calibrate with "
            f"are also labelled {shortened(foreign)}. Rename or remove those folders."
        )
    usable = [photo for photo in dataset.photos if photo.label is not None]
    labels = np.array([classifier.classes.index(photo.label or "") for photo in usable])
    half = fold_of(labels, np.arange(len(labels)), 2)
    short_side = needed_short_side(classifier.backbone.preprocessing)
    skipped = list(dataset.skipped)

    def readable(part: int, stage: str, most: int) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """(pixels, label) of photos of a half, in random order."""
        order = np.random.default_rng(0).permutation(np.flatnonzero(half == part))[:most]
        for done, index in enumerate(order):
            progress(stage, done, len(order))
            try:
                pixels = decode(usable[index].read(), short_side=short_side).pixels
            except PhotoError as error:
                skipped.append(Skipped(usable[index].name, str(error)))
                continue
            yield pixels, int(labels[index])
        progress(stage, len(order), len(order))

    calibrating = [pixels for pixels, _ in readable(0, "Reading", MOST_CALIBRATING)]
    if not calibrating:
        raise DatasetError("There are too few readable photos to calibrate with. Name 20 or more.")
    rounded = _rounded(content, calibrating)
    runs = (run_onnx(content), run_onnx(rounded))
    right = np.array(
        [
            [_answer(run, pixels) == label for run in runs]
            for pixels, label in readable(1, "Measuring", MOST_MEASURED)
        ]
    )
    if not len(right):
        raise DatasetError("There are too few readable photos to measure with. Name 20 or more.")
    before, after = right.mean(axis=0).tolist()
    interval = paired_interval(right[:, 0], right[:, 1])
    loss = Loss(
        len(calibrating),
        len(right),
        before,
        after,
        before - after,
        interval,
        tuple(skipped),
        dataset.findings,
    )
    if loss.loss > max_loss:
        raise ExportError(
            f"Rounded to int8 it answers {percent(after)} of {len(right)} photos rightly, before "
            f"{percent(before)}: a loss of {percent(loss.loss)} (95% CI {percent(interval[0])} to "
            f"{percent(interval[1])}), and at most {percent(max_loss)} is allowed. Nothing was "
            "written. Calibrate with more photos, allow more with --max-loss, or do without --int8."
        )
    return rounded, loss


def _answer(run: Run, pixels: NDArray[np.uint8]) -> int | None:
    probabilities, _, unknown = run(pixels)
    return None if unknown else int(np.argmax(probabilities))


def _rounded(content: bytes, pictures: list[NDArray[np.uint8]]) -> bytes:
    import onnx
    from onnxruntime import quantization

    class Pictures(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(pictures)

        def get_next(self) -> dict[str, Any] | None:
            pixels = next(self.left, None)
            return None if pixels is None else {"image": pixels[None]}

    logging.disable(logging.WARNING)  # it recommends what torch's exporter has done already
    try:
        with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
            out = Path(folder) / "int8.onnx"
            quantization.quantize_static(
                onnx.load_from_string(content),
                out,
                Pictures(),
                per_channel=True,
                op_types_to_quantize=["Conv"],
            )
            return out.read_bytes()
    finally:
        logging.disable(logging.NOTSET)
