"""Compare the predictions of an export with those of the classifier."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from eyespot.arrays import U8
from eyespot.data.decode import decode
from eyespot.data.finding import Finding
from eyespot.data.folders import find_photos
from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.data.transforms import needed_short_side, prepare
from eyespot.errors import DatasetError, ExportError, PhotoError
from eyespot.features.engines import open_engine
from eyespot.progress import Progress
from eyespot.tasks.classification.classifier import Classifier

TOLERANCE = 0.01
"""Largest difference of a probability, or of the OOD score."""
EDGE = 0.05
"""Share of photos (or one photo) that may differ more. The last bit of a pixel decides the order of
almost equal neighbours, and Pillow rounds by rows or by columns first. A broken export differs for
all photos."""
MOST = 200
"""Photos to check with; of more, this number is picked at even distances."""

Run = Callable[[U8], Sequence[Any]]
"""An export: uint8 RGB [H, W, 3] -> probabilities [K], OOD score, unknown."""
Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Comparison on `photos`. `same`: photos with equal predictions: the same label, or "none of
    these". `difference`: the largest of a probability. `edge`: photos that differ by more than
    `TOLERANCE`. `findings`: about the photos."""

    photos: int
    same: int
    difference: float
    edge: int = 0
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        findings = [finding.to_dict() for finding in self.findings]
        return asdict(self) | {"tolerance": TOLERANCE, "findings": findings}


def checked(
    make: Callable[[Classifier], Content],
    run: Callable[[Content], Run],
    classifier: Classifier,
    photos: str | Path | None,
    progress: Progress,
) -> tuple[Content, Agreement]:
    """The export that `make` returns, after `check`."""
    progress("Converting the classifier", 0, 1)
    content = make(classifier)
    progress("Converting the classifier", 1, 1)
    return content, check(run(content), classifier, photos, progress)


def check(
    run: Run,
    classifier: Classifier,
    photos: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Agreement:
    """Compare predictions on the photos in a folder, or on crops of two images of scikit-learn.

    Both compute in float32: bf16 rounding is not an error of an export. Raises ExportError if they
    differ by more than `TOLERANCE` for more than `EDGE` of the photos, DatasetError if no photo
    can be read.
    """
    exact = replace(classifier, _engine=open_engine(classifier.backbone, precision="fp32"))
    preprocessing = exact.backbone.preprocessing
    found = photos_to_check(photos)
    picked = picked_of(found)
    skipped, apart, same = list(found.skipped), [], 0
    for _, pixels in readable(picked, exact, "Comparing predictions", progress, skipped):
        (shares,), (known,) = exact.score_features(
            exact.engine.run(prepare(pixels, preprocessing)[None])
        )
        probabilities, ood_score, unknown = run(pixels)
        rejected = bool(known > exact.ood_threshold)
        same += bool(unknown) == rejected and (
            rejected or int(np.argmax(probabilities)) == int(np.argmax(shares))
        )
        close = np.isclose(ood_score, known, rtol=0, atol=TOLERANCE, equal_nan=True)
        apart.append(float(np.abs(probabilities - shares).max()) if close else np.inf)
    if not apart:
        raise DatasetError("None of the photos to check with can be read. Name other photos.")
    edge = sum(not difference <= TOLERANCE for difference in apart)  # NaN counts as different
    if edge > max(1, EDGE * len(apart)):
        raise ExportError(
            f"The predictions of the export differ from those of the classifier: for {edge} of "
            f"{len(apart)} photos, a probability or the OOD score differs by more than "
            f"{TOLERANCE}. Nothing was written. Upgrade the packages of the format, or choose "
            "another format."
        )
    return Agreement(len(apart), same, max(apart), edge, tuple(skipped), found.findings)


def photos_to_check(photos: str | Path | None) -> Dataset:
    """The photos in a folder, or crops of two images of scikit-learn."""
    return Dataset(_samples()) if photos is None else find_photos(photos)


def picked_of(found: Dataset) -> Sequence[Photo]:
    """At most MOST photos, at even distances."""
    return found.photos[:: -(-len(found.photos) // MOST) or 1]


def readable(
    photos: Sequence[Photo],
    classifier: Classifier,
    stage: str,
    progress: Progress,
    skipped: list[Skipped],
) -> Iterator[tuple[int, U8]]:
    """Number and pixels of each readable photo, decoded as for predicting.

    Appends the others to `skipped`.
    """
    short_side = needed_short_side(classifier.backbone.preprocessing)
    for number, photo in enumerate(photos):
        progress(stage, number, len(photos))
        try:
            pixels = decode(photo.read(), short_side=short_side).pixels
        except PhotoError as error:
            skipped.append(Skipped(photo.name, str(error)))
        else:
            yield number, pixels
    progress(stage, len(photos), len(photos))


def _samples() -> tuple[Photo, ...]:
    """Crops of two images, small and large, tall and wide."""
    from sklearn.datasets import load_sample_images

    parts = [
        part
        for whole in load_sample_images().images
        for part in (whole, whole[:, :200], whole[99:199], whole[50:300:2, 300:600:2], whole[:99])
    ]
    return tuple(
        Photo(f"crop {number} of a sample image", MemorySource(np.ascontiguousarray(part)))
        for number, part in enumerate(parts)
    )
