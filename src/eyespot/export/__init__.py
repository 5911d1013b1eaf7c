"""A classifier in the formats of other software: ONNX, OpenVINO, torch, a web page.

`graph.py` is the classifier as one torch module, which `formats.py` converts. `check.py` compares
predictions, `int8.py` quantises, `write.py` writes the files. `snippets/` are the programs that use
them. `web.py` makes a page from `static/`; `onnxruntime_web.py` downloads its runtime.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.export.write import Exported
    from eyespot.tasks.classification.classifier import Classifier


def writers() -> "dict[str, Callable[..., Exported]]":
    """The function that writes each format."""
    from eyespot.export.formats import FORMATS
    from eyespot.export.web import export_web
    from eyespot.export.write import export_file

    return {**{to: partial(export_file, to=to) for to in FORMATS}, "web": export_web}


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
        """Write a classifier as "onnx", "openvino", "torch" or "web"; see `export_file`.

        `check_with`: photos to compare the predictions on; None for two sample photos.
        Raises UsageError for another format.
        """
        from eyespot.errors import UsageError
        from eyespot.shown import shown

        if to not in (formats := writers()):
            raise UsageError(f"to is one of {', '.join(formats)}, not {shown(to)}.")
        return formats[to](classifier, path, check_with=check_with)


sys.modules[__name__].__class__ = _Export
