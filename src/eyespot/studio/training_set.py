"""The photos of a project that its classifier is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.features.cache import Record
from eyespot.features.engines import Engine
from eyespot.features.extract import Features
from eyespot.shown import Brief
from eyespot.studio.snapshot import ProjectPhoto


@dataclass(frozen=True, repr=False)
class TrainingSet(Brief):
    """n photos. `classes`: names. `labels`: int64 [n], indices of `classes`."""

    classes: tuple[str, ...]
    photos: tuple[ProjectPhoto, ...]
    labels: NDArray[np.int64]
    features: Features

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(photo.id for photo in self.photos)

    @property
    def bursts(self) -> list[str | None]:
        return [photo.burst for photo in self.photos]

    def distinct(self, groups: Sequence[object]) -> list[int]:
        """The number of different groups in each class, by the group of each photo."""
        return [
            len({groups[index] for index in np.flatnonzero(self.labels == k).tolist()})
            for k in range(len(self.classes))
        ]


def training_set(
    classes: dict[str, str],
    photos: Sequence[ProjectPhoto],
    records: dict[str, Record],
    engine: Engine,
) -> TrainingSet:
    """Collect the photos of `classes` (names by id) and their records (by sha256)."""
    order = list(classes)
    found = [records[photo.sha256] for photo in photos]
    features = Features(
        names=tuple(f"{classes[photo.class_id]}/{photo.id}" for photo in photos),
        sha256=tuple(photo.sha256 for photo in photos),
        values=np.stack([record.features for record in found]).astype(np.float16, copy=False),
        layout=engine.layout,
        dhash=np.array([record.dhash for record in found], dtype=np.uint64),
        thumbnails=tuple(record.thumbnail for record in found),
    )
    labels = np.array([order.index(photo.class_id) for photo in photos], dtype=np.int64)
    return TrainingSet(tuple(classes.values()), tuple(photos), labels, features)
