"""Features of a project's photos, computed once, and the training set of its classifier."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eyespot.data.photos import FileSource, Photo
from eyespot.features.backbone import Backbone
from eyespot.features.cache import FeatureCache, Record
from eyespot.features.engines import Engine
from eyespot.features.extract import Features, stream
from eyespot.progress import Progress, counting
from eyespot.shown import Brief
from eyespot.studio.project import Project
from eyespot.studio.rows import ProjectPhoto


@dataclass
class Extraction:
    """`records`: features by sha256. `reasons`: why a photo has none, by sha256."""

    records: dict[str, Record]
    reasons: dict[str, str]


class PhotoFeatures:
    """Features of one project's photos with `backbone`, run by `engine`."""

    def __init__(self, backbone: Backbone, engine: Engine) -> None:
        self.backbone, self.engine = backbone, engine
        self._known: dict[str, Record] = {}

    def extract(
        self,
        project: Project,
        sha256: Sequence[str],
        progress: Progress,
        check: Callable[[], None],
    ) -> Extraction:
        """The features of the photos with this content. `check` is called between photos."""
        wanted = dict.fromkeys(sha256)
        found = Extraction({key: self._known[key] for key in wanted if key in self._known}, {})
        missing = [key for key in wanted if key not in found.records]
        if not missing:
            return found
        cache = FeatureCache()  # one for each thread
        try:
            found.records |= cache.get_many(missing, self.backbone.cache_key)
            missing = [key for key in missing if key not in found.records]
            paths = ((key, project.path(key)) for key in missing)
            photos = [Photo(key, FileSource(path)) for key, path in paths if path.exists()]
            step = counting(progress, "Computing features", len(photos))
            for item in stream(photos, self.backbone, self.engine, cache):
                check()
                key = photos[item.index].name
                if item.record is None:
                    found.reasons[key] = item.error
                elif item.sha256 != key:
                    found.reasons[key] = "its file is damaged: remove the photo and add it again"
                else:
                    features = item.record.features.astype(np.float16)
                    found.records[key] = replace(item.record, features=features)
                step(1)
            with_file = {photo.name for photo in photos}
            self._import(project, [key for key in missing if key not in with_file], found)
        finally:
            cache.close()
            self._known = found.records
        return found

    def _import(self, project: Project, sha256: Sequence[str], found: Extraction) -> None:
        """Take the features that were imported with a classifier, for photos without files."""
        imported = project.imported_features(sha256, self.backbone.extractor)
        width = max(columns.stop for columns in self.engine.layout.values())
        for key in sha256:
            if key in imported and len(imported[key].features) == width:
                found.records[key] = imported[key]
            else:
                found.reasons[key] = (
                    "its photo file is missing, and its features are from another backbone: add "
                    "the photo, or choose the backbone of that classifier"
                )


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
