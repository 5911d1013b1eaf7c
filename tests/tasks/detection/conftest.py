"""Detectors that have learnt small photos of shapes."""

from collections.abc import Iterator
from functools import cache

import pytest

from eyespot.tasks.detection import dense, fast_rcnn, frame
from eyespot.tasks.detection.method import Plan
from eyespot.tasks.detection.options import TeachOptions
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.teach import teach
from tests.tasks.detection.shapes import shapes, split


@pytest.fixture(scope="package")
def small() -> Iterator[None]:
    """Inputs of 96 x 96 pixels, and a head that learns for few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame, "AREA", 96 * 96)
        patch.setattr(dense, "plan_for", lambda photos: Plan(16, 100))
        patch.setattr(fast_rcnn, "plan_for", lambda photos: Plan(16, 100, batch=2))
        yield


@pytest.fixture(scope="package")
def taught(small: None, session_cache: object) -> DetectionTeachResult:
    return teach(shapes(24))


@pytest.fixture(scope="package")
def taught_rcnn(small: None, session_cache: object) -> DetectionTeachResult:
    return _taught_rcnn()


@cache
def _taught_rcnn() -> DetectionTeachResult:
    """Once for the tests of several packages."""
    return teach(split(shapes(18), 6), TeachOptions(method="fast-rcnn"))
