"""A photo with its boxes, and a `BoxDataset` of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.finding import Finding
from eyespot.data.photos import Photo, Skipped, Source, natural
from eyespot.shown import shown


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedPhoto:
    """A photo and its n boxes; without boxes it shows background alone.

    `photo`: its label is None. `boxes`: float32 [n, 4], each xmin, ymin, xmax, ymax in pixels of
    the upright photo (EXIF orientation applied), from the upper left corner (0, 0) to the lower
    right (width, height). Half-open: a box of the first pixel alone is 0, 0, 1, 1. `labels`: n
    class names. `ignored`: bool [n], of boxes that are neither trained on nor counted ("difficult"
    of VOC, "iscrowd" of COCO).
    """

    photo: Photo
    boxes: NDArray[np.float32]
    labels: tuple[str, ...]
    ignored: NDArray[np.bool_]

    @property
    def source(self) -> Source:
        """Where the photo's content is."""
        return self.photo.source

    def __repr__(self) -> str:
        return f"AnnotatedPhoto({self.photo.name!r}, {len(self.labels):,} boxes)"


@dataclass(frozen=True, repr=False)
class BoxDataset:
    """Photos with boxes, and those that were skipped. `findings`: the format and how it was read,
    and likely problems."""

    photos: tuple[AnnotatedPhoto, ...]
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        boxes = sum(len(photo.labels) for photo in self.photos)
        return (
            f"BoxDataset({len(self.photos):,} photos, {boxes:,} boxes, classes "
            f"{shown(self.classes)}, {len(self.skipped):,} skipped, "
            f"{len(self.findings):,} findings)"
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names of all boxes, in natural order (2 before 10)."""
        return tuple(sorted({label for p in self.photos for label in p.labels}, key=natural))
