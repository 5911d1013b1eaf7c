"""First-layer filters, activation maps, and reasons for a prediction.

`eyespot.explain(classifier, photo)` explains one prediction.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.data.given import PhotoLike
    from eyespot.data.photos import Photo
    from eyespot.explain.photo import Explanation
    from eyespot.tasks.classification.classifier import Classifier


class _Explain(ModuleType):
    """This package, which is also a function."""

    def __call__(
        self, classifier: "Classifier", photo: "Photo | PhotoLike", label: str | None = None
    ) -> "Explanation":
        """See `explain_photo`."""
        from eyespot.explain.photo import explain_photo

        return explain_photo(classifier, photo, label)


sys.modules[__name__].__class__ = _Explain
