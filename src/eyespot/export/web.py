"""A folder that opens as a page and runs a classifier in the browser."""

import json
import os
import shlex
import shutil
from importlib.resources import files
from pathlib import Path

from eyespot import __version__
from eyespot.atomic import write_atomically
from eyespot.data.transforms import needed_short_side
from eyespot.errors import UsageError
from eyespot.export.check import checked
from eyespot.export.onnx_file import onnx_file, run_onnx
from eyespot.export.onnxruntime_web import VERSION, runtime_files
from eyespot.export.write import Exported
from eyespot.progress import Progress
from eyespot.tasks.classification.classifier import Classifier

ABOUT = "eyespot.json"
PAGE = {
    "export/static": ("index.html", "page.css", "page.js", "onnxruntime-licence.txt"),
    "report": ("style.css",),
    "studio/static": ("camera.js", "dom.js", "files.js", "look.css", "watch.js"),
    "web/static": ("controls.css", "eye.svg", "percent.js"),
}
"""What is copied from where in this package: the page is made like the studio's."""
MOST_ABOUT = 10_000_000

USE = """\
python3 -m http.server --bind 127.0.0.1 --directory {folder}

Then open http://127.0.0.1:8000 (a page that is opened as a file cannot load its parts). Any server
of files will do, but browsers give the camera only to pages of this machine, or over https.
"""


def export_web(
    classifier: Classifier,
    folder: str | Path,
    *,
    name: str | None = None,
    onnxruntime: str | Path | None = None,
    check_with: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Exported:
    """Write a folder with a page, the classifier as ONNX, and onnxruntime-web, which runs it.

    `name`: of the classifier, as the page shows it; that of the folder if None. `onnxruntime`: the
    package onnxruntime-web as npm packs it; None to fetch it from npm's registry, once. What an
    export wrote earlier is replaced as a whole. Raises as `export_onnx` does, and UsageError if
    the folder holds anything else; ExportError if the package cannot be had. Nothing is written
    then.
    """
    folder = Path(folder).resolve()
    _refuse_others(folder)
    runtime = runtime_files(None if onnxruntime is None else Path(onnxruntime), progress)
    model, agreement = checked(onnx_file, run_onnx, classifier, check_with, progress)
    content = {"classifier.onnx": model} | runtime | _page()
    about = {
        "name": name or folder.name,
        "labels": classifier.classes,
        "short_side": needed_short_side(classifier.backbone.preprocessing),
        "eyespot": __version__,
        "onnxruntime-web": VERSION,
        "files": sorted((*content, ABOUT)),
    }
    content[ABOUT] = json.dumps(about, indent=1).encode()
    _write(folder, content)
    return Exported((folder,), agreement, USE.format(folder=shlex.quote(str(folder))))


def _page() -> dict[str, bytes]:
    root = files("eyespot")
    return {
        name: root.joinpath(*place.split("/"), name).read_bytes()
        for place, names in PAGE.items()
        for name in names
    }


def _write(folder: Path, content: dict[str, bytes]) -> None:
    """Make `content`, by name, all that `folder` holds; it is there as a whole, or as it was."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{os.urandom(6).hex()}.part")
    old = draft.with_suffix(".old")
    try:
        draft.mkdir()
        for name, data in content.items():
            write_atomically(draft / name, data)
        _refuse_others(folder)  # a minute has passed
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_others(folder: Path) -> None:
    """Raises UsageError if there is anything at `folder` that no export wrote."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file. Name a folder.")
    if Path.cwd().is_relative_to(folder):
        raise UsageError(f"You are in {folder}, which would be replaced. Name another folder.")
    try:
        with (folder / ABOUT).open("rb") as file:
            written = set(json.loads(file.read(MOST_ABOUT))["files"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        written = set()
    for path in folder.iterdir():
        if path.name not in written or not path.is_file():
            raise UsageError(
                f"{folder} holds {path.name!r}, which eyespot did not write. Choose another "
                "folder, or take out what you want to keep."
            )
