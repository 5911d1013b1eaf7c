"""Write a classifier in another format, after a comparison of the predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from eyespot.atomic import write_atomically
from eyespot.data.transforms import needed_short_side
from eyespot.errors import UsageError
from eyespot.export.check import Agreement, checked
from eyespot.export.int8 import MAX_LOSS, Loss, to_int8
from eyespot.export.onnx_file import onnx_file, run_onnx
from eyespot.export.openvino_files import openvino_files, run_openvino
from eyespot.export.torch_program import run_torch, torch_program
from eyespot.progress import Progress
from eyespot.tasks.classification.classifier import Classifier


@dataclass(frozen=True)
class Exported:
    """`files`: the written files. `agreement`: with the classifier, before int8 quantisation.
    `loss`: of accuracy by int8. `snippet`: a Python program that uses the files without eyespot."""

    files: tuple[Path, ...]
    agreement: Agreement
    snippet: str
    loss: Loss | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "files": [str(path) for path in self.files],
            "agreement": self.agreement.to_dict(),
            "int8": self.loss and self.loss.to_dict(),
            "snippet": self.snippet,
        }


def export_onnx(
    classifier: Classifier,
    path: str | Path,
    *,
    check_with: str | Path | None = None,
    calibrate: str | Path | None = None,
    max_loss: float = MAX_LOSS,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write NAME.onnx, atomically: one file from the pixels of any photo to the probabilities.

    `check_with`: photos to check with; None for two images of scikit-learn. `calibrate`: labelled
    photos for int8 quantisation, see `to_int8`. Raises MissingExtraError; ExportError if the file
    would be too large, its predictions differ, or int8 costs more than `max_loss` of accuracy;
    OSError as writing does. Nothing is written then.
    """
    path = _called(path, ".onnx")
    content, agreement = checked(onnx_file, run_onnx, classifier, check_with, progress)
    loss = None
    if calibrate is not None:
        content, loss = to_int8(content, classifier, calibrate, max_loss, progress)
    return _write({path: content}, agreement, _snippet("onnx", path, classifier), loss)


def export_openvino(
    classifier: Classifier,
    path: str | Path,
    *,
    check_with: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write NAME.xml and NAME.bin, each atomically; see `export_onnx`."""
    path = _called(path, ".xml")
    files, agreement = checked(openvino_files, run_openvino, classifier, check_with, progress)
    content = {path.with_suffix(suffix): data for suffix, data in files.items()}
    return _write(content, agreement, _snippet("openvino", path, classifier))


def export_torch(
    classifier: Classifier,
    path: str | Path,
    *,
    check_with: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write NAME.pt2, a torch.export program, atomically; see `export_onnx`."""
    path = _called(path, ".pt2")
    content, agreement = checked(torch_program, run_torch, classifier, check_with, progress)
    return _write({path: content}, agreement, _snippet("torch", path, classifier))


def _write(
    files: Mapping[Path, bytes], agreement: Agreement, snippet: str, loss: Loss | None = None
) -> Exported:
    for path, content in files.items():
        write_atomically(path, content)
    return Exported(tuple(files), agreement, snippet, loss)


def _called(path: str | Path, ending: str) -> Path:
    path = Path(path)
    if path.suffix != ending:
        raise UsageError(f"Choose a file name that ends in {ending}, not {path.name!r}.")
    return path


def _snippet(name: str, path: Path, classifier: Classifier) -> str:
    folder = resources.files("eyespot.export") / "snippets"
    read, use = (
        (folder / f"{part}.py").read_text("utf-8") for part in ("read_photo", f"use_{name}")
    )
    text = f"{read}\n\n{use}"
    side = needed_short_side(classifier.backbone.preprocessing)
    text = text.replace("(224, 224)", f"({side}, {side})")
    return text.replace(f'"pets{path.suffix}"', repr(str(path)))
