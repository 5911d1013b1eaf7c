"""Write a classifier in another format, once it was seen to answer alike."""

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
    """`files`: what was written. `agreement`: with the classifier (with int8, before rounding).
    `loss`: through int8. `snippet`: a program in Python that uses the files, without eyespot."""

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
    """Write NAME.onnx, atomically: one file, from the pixels of any picture to the answer.

    `check_with`: photos to check with; None for two that scikit-learn carries. `calibrate`:
    labelled photos to round the network to int8 with, as `to_int8` has it. Raises
    MissingExtraError, ExportError if the file would be too large, answers otherwise, or has lost
    more than `max_loss`; OSError as writing does. Nothing is written then.
    """
    path = _called(path, ".onnx")
    content, agreement = checked(onnx_file, run_onnx, classifier, check_with, progress)
    loss = None
    if calibrate is not None:
        content, loss = to_int8(content, classifier, calibrate, max_loss, progress)
    write_atomically(path, content)
    return Exported((path,), agreement, _snippet("onnx", path, classifier), loss)


def export_openvino(
    classifier: Classifier,
    path: str | Path,
    *,
    check_with: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write NAME.xml, and NAME.bin beside it, each atomically; see `export_onnx`."""
    path = _called(path, ".xml")
    files, agreement = checked(openvino_files, run_openvino, classifier, check_with, progress)
    written = {path.with_suffix(suffix): content for suffix, content in files.items()}
    for file, content in written.items():
        write_atomically(file, content)
    return Exported(tuple(written), agreement, _snippet("openvino", path, classifier))


def export_torch(
    classifier: Classifier,
    path: str | Path,
    *,
    check_with: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write NAME.pt2, a program of torch.export, atomically; see `export_onnx`."""
    path = _called(path, ".pt2")
    content, agreement = checked(torch_program, run_torch, classifier, check_with, progress)
    write_atomically(path, content)
    return Exported((path,), agreement, _snippet("torch", path, classifier))


def _called(path: str | Path, ending: str) -> Path:
    path = Path(path)
    if path.suffix != ending:
        raise UsageError(f"Choose a name that ends in {ending}, not {path.name!r}.")
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
