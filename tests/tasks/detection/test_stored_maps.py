"""Maps stay in the cache until they are used, and are computed again where the cache lost them."""

import pytest

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.features.backbone import Backbone
from eyespot.features.cache import FeatureCache
from eyespot.tasks.detection.embed import Embedded, embed_photos
from eyespot.tasks.detection.engine import maps_engine
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.stored_maps import HeldMaps, StoredMaps
from tests.tasks.detection.shapes import shapes


def embedded(
    photos: list[AnnotatedPhoto],
    backbone: Backbone,
    channels: tuple[int, ...],
    cache: FeatureCache | None,
) -> list[Embedded]:
    found, skipped = embed_photos(
        photos,
        ("disc", "square"),
        maps_engine(backbone),
        channels,
        mirror=True,
        cache=cache,
        progress=lambda done: None,
    )
    assert not skipped
    return found


@pytest.mark.usefixtures("small")
def test_maps_are_read_again_or_computed_again(taught: DetectionTeachResult) -> None:
    detector, cache = taught.detector, FeatureCache()
    photos = shapes(3, seed=11)
    (held, *_) = embedded(photos, detector.backbone, detector.channels, None)
    (stored, *_) = embedded(photos, detector.backbone, detector.channels, cache)
    for expected, example in zip(held.views, stored.views, strict=True):
        assert isinstance(expected.stored, HeldMaps)
        assert isinstance(example.stored, StoredMaps)
        for before, now in zip(expected.maps, example.maps, strict=True):
            assert (before == now).all()
    assert not (stored.views[0].maps[0] == stored.views[1].maps[0]).all()
    cache.clear()
    for expected, example in zip(held.views, stored.views, strict=True):
        for before, now in zip(expected.maps, example.maps, strict=True):
            assert (before == now).all()
