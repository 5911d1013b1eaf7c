"""Maps of photos, read from the cache when they are used: memory stays bounded for any number."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.features.cache import FeatureCache, Record

Row = NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class StoredMaps:
    """All maps of one input as one row. `key`, `sha256`: of its record in the cache. `compute`: the
    record again, where the cache has lost it: evicted, or its disk is full."""

    cache: FeatureCache
    key: str
    sha256: str
    compute: Callable[[], Record]

    def row(self) -> Row:
        """float16 [D]. Raises PhotoError if the photo has to be read again, and cannot."""
        record = self.cache.get_many([self.sha256], self.key).get(self.sha256)
        features = (record or self.compute()).features
        return features.astype(np.float16, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class HeldMaps:
    """The same in memory, for a run without a cache."""

    features: Row

    def row(self) -> Row:
        """float16 [D]."""
        return self.features
