"""Step 1 of `teach`: from photos to features."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import Features, embed, join_features
from eyespot.progress import counting
from eyespot.shown import Brief
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.options import TeachOptions

EMBEDDING = "Embedding photos"
"""The stage of progress."""


@dataclass(frozen=True, repr=False)
class EmbeddedPhotos(Brief):
    """The readable photos with their features, and the skipped ones with the reasons."""

    dataset: Dataset
    backbone: Backbone
    engine: Engine
    photos: list[Photo]
    features: Features
    skipped: tuple[Skipped, ...]
    seconds: dict[str, float]
    photos_per_second: float


def embed_photos(dataset: Dataset, options: TeachOptions) -> EmbeddedPhotos:
    """Compute the features of every photo, or look them up in the cache. Those of a classifier to
    add to come first."""
    start, onto = time.perf_counter(), options.onto
    backbone = onto.backbone if onto is not None else load_backbone(options.backbone)
    engine = open_engine(backbone)
    opened = time.perf_counter()
    step = counting(options.progress, EMBEDDING, len(dataset.photos))
    cache = FeatureCache() if options.use_cache else None
    features, kept, unreadable = embed(dataset.photos, backbone, engine, cache, step)
    photos = [dataset.photos[index] for index in kept]
    seconds = {"load": opened - start, "embed": time.perf_counter() - opened}
    speed = len(kept) / max(seconds["embed"], 1e-9)
    if onto is not None:
        features, photos = _with_training_photos(onto, features, photos)
    features, photos, untrained = _without_untrained(features, photos)
    skipped = (*dataset.skipped, *unreadable, *untrained)
    return EmbeddedPhotos(dataset, backbone, engine, photos, features, skipped, seconds, speed)


def _with_training_photos(
    onto: Classifier, features: Features, photos: Sequence[Photo]
) -> tuple[Features, list[Photo]]:
    """The classifier's training photos, followed by the new ones."""
    training = onto.require_training_photos()
    new = onto.new_photos(features, [photo.label for photo in photos])
    known = [
        Photo(name, MemorySource(b""), onto.classes[label])
        for name, label in zip(training.features.names, training.labels.tolist(), strict=True)
    ]
    joined = join_features(training.features, features.take(new))
    return joined, known + [photos[i] for i in new]


def _without_untrained(
    features: Features, photos: list[Photo]
) -> tuple[Features, list[Photo], tuple[Skipped, ...]]:
    """Leave out test photos of classes without training photos: no head can predict these classes,
    and they would count as errors that no change to the test photos can mend."""
    trained = {photo.label for photo in photos if photo.split != "test"}
    kept = [index for index, photo in enumerate(photos) if photo.label in trained]
    if not trained or len(kept) == len(photos):  # without training photos, splitting raises
        return features, photos, ()
    others = (photo for photo in photos if photo.label not in trained)
    skipped = (Skipped(one.name, f"{one.label} has no photo to train on") for one in others)
    return features.take(kept), [photos[index] for index in kept], tuple(skipped)
