"""`eyespot export`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eyespot.cli.outputs import check_outputs
from eyespot.cli.show import counted, print_json, printable, progress
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.export.write import Exported

ENDINGS = {"onnx": (".onnx",), "openvino": (".xml", ".bin"), "torch": (".pt2",)}


def export(
    model: Annotated[Path, typer.Argument(help="The classifier to export.")],
    to: Annotated[str, typer.Option(help="onnx, openvino or torch.")] = "onnx",
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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Write a classifier in a format that runs without eyespot, and check that it answers alike.

    Example: eyespot export pets.eyespot --to onnx
    """
    if to not in ENDINGS:
        raise UsageError(f"--to is one of {', '.join(ENDINGS)}, not {to!r}.")
    if int8 and to != "onnx":
        raise UsageError("--int8 is for --to onnx alone.")
    if int8 != (calibrate is not None):
        raise UsageError(
            "--int8 needs photos that it was not taught with, a folder per class, and these need "
            "--int8: eyespot export pets.eyespot --int8 --calibrate new-photos/"
        )
    path = output or model.with_suffix(ENDINGS[to][0])
    if path.suffix not in ENDINGS[to][:1]:
        raise UsageError(
            f"Choose a name that ends in {ENDINGS[to][0]}, not {printable(path.name)}."
        )
    check_outputs([path.with_suffix(ending) for ending in ENDINGS[to]], [model])
    from eyespot.classifier import load
    from eyespot.export.write import export_onnx, export_openvino, export_torch

    classifier = load(model)
    options: dict[str, Any] = {"check_with": check_with}
    if int8:
        options |= {"calibrate": calibrate, "max_loss": max_loss}
    write = {"onnx": export_onnx, "openvino": export_openvino, "torch": export_torch}[to]
    with progress() as step:
        done = write(classifier, path, progress=step, **options)
    if as_json:
        print_json(done.to_dict())
    else:
        _print(done)


def _print(done: "Exported") -> None:
    found, loss = done.agreement, done.loss
    for skipped in found.skipped:
        print(printable(f"Skipped {skipped.path}: {skipped.reason}"), file=sys.stderr)
    print(
        f"Checked on {counted(found.photos, 'picture')}: {found.same} got the same answer, "
        f"probabilities differ by {found.difference:.5f} at most."
    )
    if loss:
        low, high = loss.interval
        print(
            f"Rounded to int8 by {counted(loss.calibrated, 'photo')}: it answers {loss.after:.1%} "
            f"of {loss.measured} other photos rightly, {loss.before:.1%} before: a loss of "
            f"{loss.loss:.1%} (95 % sure: between {low:.1%} and {high:.1%})."
        )
    for path in done.files:
        print(f"{printable(str(path))}: {path.stat().st_size / 1e6:.1f} MB")
    print(f"\nTo use it in Python:\n\n{done.snippet}", end="")
