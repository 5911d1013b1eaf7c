"""Write a detector as ONNX, OpenVINO or a web page, after a comparison of the boxes."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from eyespot import __version__
from eyespot.atomic import write_atomically
from eyespot.errors import ExportError, UsageError
from eyespot.export import formats
from eyespot.export.detection.check import BoxAgreement, Run, check_boxes
from eyespot.export.detection.graph import INPUT, OPSET, graph_of
from eyespot.export.web import USE, page_files, refuse_others, write_folder
from eyespot.features.conversion import openvino_core
from eyespot.progress import Progress
from eyespot.shown import shown
from eyespot.tasks.detection import frame
from eyespot.tasks.detection.detector import Detector

DRAFT = '    photo.draft("RGB", (224, 224))  # decodes a large JPEG at a fraction of its size\n'
"""A line of the program that reads photos; boxes are in pixels of the photo as it is."""


@dataclass(frozen=True)
class ExportedDetector:
    """`files`: the written files. `agreement`: with the detector. `snippet`: a program that uses
    the files without eyespot."""

    files: tuple[Path, ...]
    agreement: BoxAgreement
    snippet: str

    @property
    def checks(self) -> list[BoxAgreement]:
        """With findings and skipped photos."""
        return [self.agreement]

    def lines(self) -> list[str]:
        """The result of the check for a terminal."""
        return [self.agreement.line()]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "files": [str(path) for path in self.files],
            "agreement": self.agreement.to_dict(),
            "snippet": self.snippet,
        }


def export_detector(
    detector: Detector,
    to: str,
    path: str | Path,
    *,
    name: str | None = None,
    check_with: str | Path | None = None,
    onnxruntime: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> ExportedDetector:
    """Write NAME.onnx, NAME.xml and NAME.bin, or a folder with a page ("web").

    `check_with`: photos to compare boxes on; None for two images of scikit-learn. `name`,
    `onnxruntime`: as for `export_web`. Raises MissingExtraError, UsageError for another format or
    suffix, ExportError if the boxes differ or the file would be too large, OSError. Nothing is
    written then.
    """
    path = Path(path)
    if to not in Detector.formats:
        raise UsageError(f"to is one of {', '.join(Detector.formats)}, not {shown(to)}.")
    if to == "web":
        return _page(detector, path.resolve(), name, check_with, onnxruntime, progress)
    suffix = formats.FORMATS[to].suffix
    if path.suffix != suffix:
        raise UsageError(f"Choose a file name that ends in {suffix}, not {path.name!r}.")
    progress("Converting the detector", 0, 1)
    content = onnx_content(detector)
    files = {".onnx": content} if to == "onnx" else _openvino_files(content, detector)
    progress("Converting the detector", 1, 1)
    run = _run_onnx(content) if to == "onnx" else _run_openvino(files)
    agreement = check_boxes(run, detector, check_with, progress)
    written = {path.with_suffix(ending): data for ending, data in files.items()}
    for place, data in written.items():
        write_atomically(place, data)
    return ExportedDetector(tuple(written), agreement, _snippet(to, path))


def facts(detector: Detector) -> dict[str, str]:
    """The metadata of a file, texts by key.

    `labels`, `thresholds`: JSON lists, by class. `area`, `multiple`, `longest`: of the input, see
    `tasks.detection.frame`.
    """
    return {
        "labels": json.dumps(detector.classes),
        "thresholds": json.dumps(detector.thresholds.tolist()),
        "area": str(frame.AREA),
        "multiple": str(frame.MULTIPLE),
        "longest": str(frame.LONGEST),
        "backbone": detector.backbone.name,
        "eyespot": __version__,
    }


def onnx_content(detector: Detector) -> bytes:
    """The content of the file. Raises MissingExtraError, ExportError."""
    formats.require_onnx()
    from onnx.helper import set_model_props

    model = graph_of(detector)
    formats.without_paths(model)
    set_model_props(model, facts(detector) | {"opset": str(OPSET)})
    if model.ByteSize() > formats.MOST_BYTES:
        raise ExportError(
            f"The detector has {model.ByteSize():,} bytes; an ONNX file holds at most "
            f"{formats.MOST_BYTES:,}. Train a detector with a smaller backbone."
        )
    return bytes(model.SerializeToString())


def _openvino_files(content: bytes, detector: Detector) -> dict[str, bytes]:
    model = openvino_core().read_model(content)
    return formats.openvino_content(model, facts(detector), "detector")


def _run_onnx(content: bytes) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {INPUT: pixels[None]})


def _run_openvino(files: dict[str, bytes]) -> Run:
    compiled: Callable[[Any], Any] = formats.compiled_openvino(files)
    return lambda pixels: list(compiled([pixels[None]]).values())


def _page(
    detector: Detector,
    folder: Path,
    name: str | None,
    check_with: str | Path | None,
    onnxruntime: str | Path | None,
    progress: Progress,
) -> ExportedDetector:
    """A folder with a page, as of `export_web`."""
    refuse_others(folder)
    about = {
        "name": name or folder.name,
        "labels": detector.classes,
        "area": frame.AREA,
        "multiple": frame.MULTIPLE,
        "longest": frame.LONGEST,
    }
    runtime = None if onnxruntime is None else Path(onnxruntime)
    files = page_files("detector", runtime, progress)
    progress("Converting the detector", 0, 1)
    files["detector.onnx"] = onnx_content(detector)
    progress("Converting the detector", 1, 1)
    agreement = check_boxes(_run_onnx(files["detector.onnx"]), detector, check_with, progress)
    write_folder(folder, files, about)
    return ExportedDetector((folder,), agreement, USE.format(folder=shlex.quote(str(folder))))


def _snippet(to: str, path: Path) -> str:
    folder = resources.files("eyespot.export") / "snippets"
    parts = ("read_photo", "detector_input", f"detect_{to}", "print_boxes")
    read, *others = ((folder / f"{part}.py").read_text("utf-8") for part in parts)
    text = "\n\n".join([read.replace(DRAFT, ""), *others[:1]]) + "\n\n" + "".join(others[1:])
    return text.replace(f'"cells{path.suffix}"', repr(str(path)))
