"""A classifier in the formats of other software: ONNX, OpenVINO, torch, a web page.

`graph.py` is the classifier as one torch module; `onnx_file.py`, `openvino_files.py` and
`torch_program.py` convert it. `check.py` compares predictions, `int8.py` quantises, `write.py`
writes the files. `snippets/` are the programs that use them. `web.py` makes a page from `static/`;
`onnxruntime_web.py` downloads its runtime.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.export.write import Exported
    from eyespot.tasks.classification.classifier import Classifier


def writers() -> "dict[str, Callable[..., Exported]]":
    """The function that writes each format."""
    from eyespot.export.web import export_web
    from eyespot.export.write import export_onnx, export_openvino, export_torch

    return {
        "onnx": export_onnx,
        "openvino": export_openvino,
        "torch": export_torch,
        "web": export_web,
    }


class _Export(ModuleType):
    """This package, which is also a function."""

    def __call__(
        self,
        classifier: "Classifier",
        to: str,
        path: str | Path,
        *,
        check_with: str | Path | None = None,
    ) -> "Exported":
        """Write a classifier as "onnx", "openvino", "torch" or "web"; see `export_onnx`.

        `check_with`: photos to compare the predictions on; None for two sample photos.
        Raises UsageError for another format.
        """
        from eyespot.errors import UsageError
        from eyespot.shown import shown

        if to not in (formats := writers()):
            raise UsageError(f"to is one of {', '.join(formats)}, not {shown(to)}.")
        return formats[to](classifier, path, check_with=check_with)


sys.modules[__name__].__class__ = _Export
