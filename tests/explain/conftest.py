"""The detector of the tests of detection."""

from tests.tasks.detection.conftest import small, taught, taught_rcnn

__all__ = ["small", "taught", "taught_rcnn"]
