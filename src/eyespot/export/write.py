"""Write a classifier in another format, after a comparison of the predictions."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from eyespot.atomic import write_atomically
from eyespot.data.transforms import needed_short_side
from eyespot.errors import UsageError
from eyespot.export.check import Agreement, checked
from eyespot.export.formats import FORMATS
from eyespot.export.int8 import MAX_LOSS, Loss, to_int8
from eyespot.progress import Progress
from eyespot.shown import counted, percent
from eyespot.tasks.classification.classifier import Classifier


@dataclass(frozen=True)
class Exported:
    """`files`: the written files. `agreement`: with the classifier, before int8 quantisation.
    `loss`: of accuracy by int8. `snippet`: a Python program that uses the files without eyespot."""

    files: tuple[Path, ...]
    agreement: Agreement
    snippet: str
    loss: Loss | None = None

    @property
    def checks(self) -> list[Agreement | Loss]:
        """Each with findings and skipped photos."""
        return [self.agreement, self.loss] if self.loss else [self.agreement]

    def lines(self) -> list[str]:
        """The results of the checks for a terminal."""
        found, loss = self.agreement, self.loss
        lines = [
            f"Checked on {counted(found.photos, 'photo')}: {found.same:,} with the same "
            f"prediction, largest difference of a probability {found.difference:.5f}."
        ]
        if loss:
            low, high = loss.interval
            lines.append(
                f"Quantized to int8 with {counted(loss.calibrated, 'photo')}: accuracy "
                f"{percent(loss.after)} on {loss.measured:,} other photos, {percent(loss.before)} "
                f"before. Loss {percent(loss.loss)} (95% CI {percent(low)} to {percent(high)})."
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        return {
            "files": [str(path) for path in self.files],
            "agreement": self.agreement.to_dict(),
            "int8": self.loss and self.loss.to_dict(),
            "snippet": self.snippet,
        }


def export_file(
    classifier: Classifier,
    path: str | Path,
    to: str = "onnx",
    *,
    check_with: str | Path | None = None,
    calibrate: str | Path | None = None,
    max_loss: float = MAX_LOSS,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write a classifier in one of `FORMATS`: NAME.onnx, NAME.xml and NAME.bin, or NAME.pt2.

    Each file is written atomically. `check_with`: photos to check with; None for two images of
    scikit-learn. `calibrate`: labelled photos for int8 quantisation of an ONNX file, see `to_int8`.
    Raises MissingExtraError; UsageError for another suffix; ExportError if the file would be too
    large, its predictions differ, or int8 costs more than `max_loss` of accuracy; OSError as
    writing does. Nothing is written then.
    """
    path, form = Path(path), FORMATS[to]
    if path.suffix != form.suffix:
        raise UsageError(f"Choose a file name that ends in {form.suffix}, not {path.name!r}.")
    files, agreement = checked(form.make, form.run, classifier, check_with, progress)
    loss = None
    if calibrate is not None:
        files[".onnx"], loss = to_int8(files[".onnx"], classifier, calibrate, max_loss, progress)
    written = {path.with_suffix(suffix): content for suffix, content in files.items()}
    for place, content in written.items():
        write_atomically(place, content)
    return Exported(tuple(written), agreement, _snippet(to, path, classifier), loss)


def _snippet(name: str, path: Path, classifier: Classifier) -> str:
    folder = resources.files("eyespot.export") / "snippets"
    read, use = (
        (folder / f"{part}.py").read_text("utf-8") for part in ("read_photo", f"use_{name}")
    )
    text = f"{read}\n\n{use}"
    side = needed_short_side(classifier.backbone.preprocessing)
    text = text.replace("(224, 224)", f"({side}, {side})")
    return text.replace(f'"pets{path.suffix}"', repr(str(path)))
