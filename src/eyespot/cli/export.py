"""`eyespot export`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.options import Json, argument, choice, given, option
from eyespot.cli.outputs import check_folder, check_outputs
from eyespot.cli.show import print_json, print_problems, progress, say
from eyespot.errors import UsageError
from eyespot.shown import printable

if TYPE_CHECKING:
    from eyespot.tasks.protocol import Exported, Task

ENDINGS = {"onnx": (".onnx",), "openvino": (".xml", ".bin"), "torch": (".pt2",)}


def export(
    model: Annotated[Path, argument("The classifier or detector to export.")],
    to: Annotated[str, choice("Format: ", *ENDINGS, "web")] = "onnx",
    output: Annotated[
        Path | None,
        option("Where to write it.", "-o", "--output", show_default="beside the classifier"),
    ] = None,
    check_with: Annotated[
        Path | None, option("Photos to check with.", show_default="crops of two sample photos")
    ] = None,
    int8: Annotated[bool, option("Quantize an ONNX file's network to int8.", "--int8")] = False,
    calibrate: Annotated[
        Path | None, option("With --int8: labelled photos, as for teach.", metavar="PHOTOS")
    ] = None,
    max_loss: Annotated[
        float, option("With --int8: largest loss of accuracy.", min=0, max=1)
    ] = 0.02,
    onnxruntime: Annotated[
        Path | None,
        option("With --to web: the onnxruntime-web package.", show_default="download it from npm"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Export a model to ONNX, OpenVINO, PyTorch or a web page.

    The exported file runs without eyespot; its predictions are compared first.

    Example: eyespot export pets.eyespot --to onnx

    A page for the browser: eyespot export pets.eyespot --to web -o pets-page
    """
    if to not in ENDINGS and to != "web":
        raise UsageError(f"--to is one of {', '.join(ENDINGS)}, web, not {to!r}.")
    if onnxruntime and to != "web":
        raise UsageError("--onnxruntime needs --to web.")
    if int8 and to != "onnx":
        raise UsageError("--int8 needs --to onnx.")
    if int8 != (calibrate is not None):
        raise UsageError(
            "--int8 and --calibrate go together: --calibrate takes photos that are not training "
            "photos, a folder per class: eyespot export pets.eyespot --int8 --calibrate "
            "new-photos/"
        )
    path = output or _beside(model, to)
    _check(path, to, model)
    from eyespot.tasks.task import load

    opened: Task = load(model)
    if to not in opened.formats:
        formats = ", ".join(opened.formats) or "no format"
        raise UsageError(f"A {opened.noun} is exported to {formats}, not to {to}.")
    options = given(
        export,
        opened.export,
        opened,
        check_with=check_with,
        calibrate=calibrate,
        max_loss=max_loss,
        onnxruntime=onnxruntime,
    )
    if to == "web" and not onnxruntime:
        _announce_download()
    with progress() as step:
        done = opened.export(to, path, name=model.stem, progress=step, **options)
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
    """Raises UsageError if `path` cannot be written."""
    if to == "web":
        check_folder(path, "index.html")
        return
    if path.suffix not in ENDINGS[to][:1]:
        raise UsageError(
            f"Choose a name that ends in {ENDINGS[to][0]}, not {printable(path.name)}."
        )
    check_outputs([path.with_suffix(ending) for ending in ENDINGS[to]], [model])


def _announce_download() -> None:
    from eyespot.export.onnxruntime_web import MEGABYTES, VERSION, address

    if url := address():
        text = f"Downloading onnxruntime-web {VERSION}, {MEGABYTES} MB, once: {url}"
        say(printable(text), file=sys.stderr)


def _print(done: "Exported") -> None:
    for check in done.checks:
        print_problems(check)
    for line in done.lines():
        say(line)
    for path in done.files:
        size = sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))
        say(f"Wrote {printable(path)} ({size / 1e6:.1f} MB)")
    how = "Next, to see the page" if done.files[0].is_dir() else "Next, to predict in Python"
    say(f"\n{how}:\n\n{done.snippet}", end="")
