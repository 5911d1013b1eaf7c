"""`eyespot export`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eyespot.cli.outputs import check_folder, check_outputs
from eyespot.cli.show import counted, print_findings, print_json, printable, progress, say
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.export.write import Exported

ENDINGS = {"onnx": (".onnx",), "openvino": (".xml", ".bin"), "torch": (".pt2",)}


def export(
    model: Annotated[Path, typer.Argument(help="The classifier to export.")],
    to: Annotated[str, typer.Option(help="onnx, openvino, torch or web.")] = "onnx",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where it goes. [default: beside the classifier]"),
    ] = None,
    check_with: Annotated[
        Path | None,
        typer.Option(help="Photos to check it with. [default: parts of two sample photos]"),
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Round an ONNX file's network to 8 bits.")
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="PHOTOS", help="With --int8: labelled photos, as for teach."),
    ] = None,
    max_loss: Annotated[
        float,
        typer.Option(min=0, max=1, help="With --int8: the largest loss of accuracy allowed."),
    ] = 0.02,
    onnxruntime: Annotated[
        Path | None,
        typer.Option(help="With --to web: onnxruntime-web's package. [default: fetch it from npm]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Write a classifier in a format that runs without eyespot, and check that it answers alike.

    Example: eyespot export pets.eyespot --to onnx

    A page for the browser: eyespot export pets.eyespot --to web -o pets-page
    """
    if to not in ENDINGS and to != "web":
        raise UsageError(f"--to is one of {', '.join(ENDINGS)}, web, not {to!r}.")
    if onnxruntime and to != "web":
        raise UsageError("--onnxruntime is for --to web alone.")
    if int8 and to != "onnx":
        raise UsageError("--int8 is for --to onnx alone.")
    if int8 != (calibrate is not None):
        raise UsageError(
            "--int8 needs photos that it was not taught with, a folder per class, and these need "
            "--int8: eyespot export pets.eyespot --int8 --calibrate new-photos/"
        )
    path = output or _beside(model, to)
    _check(path, to, model)
    from eyespot.export.web import export_web
    from eyespot.export.write import Exported, export_onnx, export_openvino, export_torch
    from eyespot.tasks.task import load

    classifier = load(model)
    options: dict[str, Any] = {"check_with": check_with}
    if int8:
        options |= {"calibrate": calibrate, "max_loss": max_loss}
    if to == "web":
        options |= {"name": model.stem, "onnxruntime": onnxruntime}
        if not onnxruntime:
            _tell_of_fetching()
    writers: dict[str, Callable[..., Exported]] = {
        "onnx": export_onnx,
        "openvino": export_openvino,
        "torch": export_torch,
        "web": export_web,
    }
    with progress() as step:
        done = writers[to](classifier, path, progress=step, **options)
    if as_json:
        print_json(done.to_dict())
    else:
        _print(done)


def _beside(model: Path, to: str) -> Path:
    if not model.name:
        raise UsageError(f"{model} is a folder. Name a classifier's file.")
    if to == "web":
        return model.with_name(f"{model.stem}-web")
    return model.with_suffix(ENDINGS[to][0])


def _check(path: Path, to: str, model: Path) -> None:
    """Raises UsageError if it cannot go there."""
    if to == "web":
        check_folder(path, "index.html")
        return
    if path.suffix not in ENDINGS[to][:1]:
        raise UsageError(
            f"Choose a name that ends in {ENDINGS[to][0]}, not {printable(path.name)}."
        )
    check_outputs([path.with_suffix(ending) for ending in ENDINGS[to]], [model])


def _tell_of_fetching() -> None:
    from eyespot.export.onnxruntime_web import MEGABYTES, VERSION, address

    if url := address():
        told = f"Fetching onnxruntime-web {VERSION}, {MEGABYTES} MB, once: {url}"
        say(printable(told), file=sys.stderr)


def _print(done: "Exported") -> None:
    from eyespot.evaluation import percent

    found, loss = done.agreement, done.loss
    for read in (found, loss) if loss else (found,):
        for skipped in read.skipped:
            say(printable(f"Skipped {skipped.path}: {skipped.reason}"), file=sys.stderr)
        print_findings(read.findings, sys.stderr)
    say(
        f"Checked on {counted(found.photos, 'picture')}: {found.same} got the same answer, "
        f"probabilities differ by {found.difference:.5f} at most."
    )
    if loss:
        low, high = loss.interval
        say(
            f"Rounded to int8 by {counted(loss.calibrated, 'photo')}: accuracy "
            f"{percent(loss.after)} on {loss.measured} other photos, {percent(loss.before)} "
            f"before: a loss of {percent(loss.loss)} (95% CI {percent(low)} to {percent(high)})."
        )
    for path in done.files:
        size = sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))
        say(f"{printable(str(path))}: {size / 1e6:.1f} MB")
    how = "To see it" if done.files[0].is_dir() else "To use it in Python"
    say(f"\n{how}:\n\n{done.snippet}", end="")
