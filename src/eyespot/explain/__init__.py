"""First-layer filters, activation maps, and reasons for a prediction.

`eyespot.explain(classifier, photo)` explains one prediction, `boxes.py` those of detectors.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.data.decode import DecodedImage
    from eyespot.data.given import PhotoLike
    from eyespot.data.photos import Photo
    from eyespot.explain.boxes import DetectionExplanation
    from eyespot.explain.photo import Explanation
    from eyespot.tasks.classification.classifier import Classifier
    from eyespot.tasks.detection.detector import Detector


class _Explain(ModuleType):
    """This package, which is also a function."""

    def __call__(
        self,
        model: "Classifier | Detector",
        photo: "Photo | PhotoLike",
        label: str | None = None,
        *,
        box: int | None = None,
    ) -> "Explanation | DetectionExplanation":
        """See `explain_photo`, and `explain_boxes` for a detector. `label`: of a classifier;
        `box`: of a detector. Raises UsageError for the other one."""
        from eyespot.errors import UsageError
        from eyespot.explain.boxes import explain_boxes
        from eyespot.explain.photo import explain_photo
        from eyespot.tasks.detection.detector import Detector

        if isinstance(model, Detector):
            if label is not None:
                raise UsageError("A detector explains boxes: name one by its number, as box=1.")
            return explain_boxes(model, photo, box)
        if box is not None:
            raise UsageError("A classifier finds no boxes: name a label instead of a box.")
        return explain_photo(model, photo, label)

    def decoded(
        self, classifier: "Classifier", name: str, image: "DecodedImage", label: str | None = None
    ) -> "Explanation":
        """The explanation for a decoded photo called `name`; see `explain_image`."""
        from eyespot.explain.photo import expect_explainable, explain_image

        expect_explainable(classifier, label)
        return explain_image(classifier, name, image, label)


sys.modules[__name__].__class__ = _Explain
