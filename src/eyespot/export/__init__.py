"""Classifiers and detectors in the formats of other software: ONNX, OpenVINO, torch, a web page.

`graph.py` is the classifier as one torch module, which `formats.py` converts. `check.py` compares
predictions, `int8.py` quantises, `write.py` writes the files. `snippets/` are the programs that use
them. `web.py` makes a page from `static/`; `onnxruntime_web.py` downloads its runtime.
`detection/` is the same for detectors.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.export.detection.write import ExportedDetector
    from eyespot.export.write import Exported
    from eyespot.progress import Progress
    from eyespot.tasks.classification.classifier import Classifier
    from eyespot.tasks.detection.detector import Detector


class _Export(ModuleType):
    """This package, which is also a function."""

    def __call__(
        self,
        model: "Classifier | Detector",
        to: str,
        path: str | Path,
        *,
        check_with: str | Path | None = None,
        calibrate: str | Path | None = None,
        max_loss: float | None = None,
        name: str | None = None,
        onnxruntime: str | Path | None = None,
        progress: "Progress" = lambda stage, done, total: None,
    ) -> "Exported | ExportedDetector":
        """Write a classifier as "onnx", "openvino", "torch" or "web", a detector as all but torch.

        `check_with`: photos to compare the predictions on; None for two sample photos.
        `calibrate`, `max_loss`: of classifiers, see `export_file`. `name`, `onnxruntime`: see
        `export_web`. Raises UsageError for another format, or an option of another format.
        """
        from eyespot.errors import UsageError
        from eyespot.export.detection.write import export_detector
        from eyespot.export.formats import FORMATS
        from eyespot.export.int8 import MAX_LOSS
        from eyespot.export.web import export_web
        from eyespot.export.write import export_file
        from eyespot.shown import shown
        from eyespot.tasks.detection.detector import Detector

        if isinstance(model, Detector):
            if calibrate is not None or max_loss is not None:
                raise UsageError("Detectors are not quantized: leave calibrate and max_loss out.")
            return export_detector(
                model,
                to,
                path,
                name=name,
                onnxruntime=onnxruntime,
                check_with=check_with,
                progress=progress,
            )
        if to not in (formats := (*FORMATS, "web")):
            raise UsageError(f"to is one of {', '.join(formats)}, not {shown(to)}.")
        if to == "web":
            return export_web(
                model,
                path,
                name=name,
                onnxruntime=onnxruntime,
                check_with=check_with,
                progress=progress,
            )
        return export_file(
            model,
            path,
            to,
            check_with=check_with,
            calibrate=calibrate,
            max_loss=MAX_LOSS if max_loss is None else max_loss,
            progress=progress,
        )


sys.modules[__name__].__class__ = _Export
