"""A detector that has learnt small photos of shapes."""

from collections.abc import Iterator

import pytest

from eyespot.tasks.detection import dense, fast_rcnn, frame
from eyespot.tasks.detection.method import Plan
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.teach import teach
from tests.tasks.detection.shapes import shapes


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
