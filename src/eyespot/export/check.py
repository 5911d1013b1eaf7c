"""Whether what was exported answers as the classifier does."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

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
"""The largest difference of a probability, or of the OOD score, from the classifier's."""
EDGE = 0.05
"""Share of photos (or one photo) for which it may be further away. The order of neighbours as good
as equal is decided by the last bit of a pixel, and Pillow itself rounds now by rows first, now by
columns; a broken export is wrong about all photos."""
MOST = 200
"""Photos to check with; of more, so many are picked evenly."""

Run = Callable[[NDArray[np.uint8]], Sequence[Any]]
"""What was exported: uint8 RGB [H, W, 3] -> probabilities [K], OOD score, unknown."""
Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `photos`, `same` got the same answer from both: the same label, or "none of these".
    `difference`: the largest between two probabilities. `edge`: how many photos differ by more
    than `TOLERANCE`. `findings`: how the photos were read."""

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
    """What `make` makes of a classifier, once it was seen to answer alike; see `check`."""
    progress("Writing the graph", 0, 1)
    content = make(classifier)
    progress("Writing the graph", 1, 1)
    return content, check(run(content), classifier, photos, progress)


def check(
    run: Run,
    classifier: Classifier,
    photos: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Agreement:
    """Ask both about the photos in a folder, or about parts of two that scikit-learn carries.

    The classifier computes in float32 here, as what was exported does: what bf16 rounds away is no
    fault of an export. Raises ExportError if they differ by more than `TOLERANCE` for more than
    `EDGE` of the photos, DatasetError if no photo can be read.
    """
    exact = replace(classifier, _engine=open_engine(classifier.backbone, precision="fp32"))
    preprocessing = exact.backbone.preprocessing
    found = Dataset(_samples()) if photos is None else find_photos(photos)
    picked = found.photos[:: -(-len(found.photos) // MOST) or 1]
    skipped, apart, same = list(found.skipped), [], 0
    for number, photo in enumerate(picked):
        progress("Checking", number, len(picked))
        try:
            pixels = decode(photo.read(), short_side=needed_short_side(preprocessing)).pixels
        except PhotoError as error:
            skipped.append(Skipped(photo.name, str(error)))
            continue
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
    progress("Checking", len(picked), len(picked))
    if not apart:
        raise DatasetError("None of the photos to check with could be read. Name others.")
    edge = sum(not difference <= TOLERANCE for difference in apart)  # NaN is not, either
    if edge > max(1, EDGE * len(apart)):
        raise ExportError(
            f"What was exported does not answer as the classifier does: for {edge} of "
            f"{len(apart)} photos a probability, or the OOD score, differs by more than "
            f"{TOLERANCE}. Nothing was written. Upgrade the packages of the format, or choose "
            "another format."
        )
    return Agreement(len(apart), same, max(apart), edge, tuple(skipped), found.findings)


def _samples() -> tuple[Photo, ...]:
    """Parts of photos, small and large, high and wide."""
    from sklearn.datasets import load_sample_images

    parts = [
        part
        for whole in load_sample_images().images
        for part in (whole, whole[:, :200], whole[99:199], whole[50:300:2, 300:600:2], whole[:99])
    ]
    return tuple(
        Photo(f"part {number} of a sample photo", MemorySource(np.ascontiguousarray(part)))
        for number, part in enumerate(parts)
    )
