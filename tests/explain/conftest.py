"""The detector of the tests of detection."""

from tests.tasks.detection.conftest import small, taught

__all__ = ["small", "taught"]
