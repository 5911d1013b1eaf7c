"""A folder with a web page that runs a classifier or a detector in the browser."""

import json
import os
import shlex
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from eyespot import __version__
from eyespot.atomic import write_atomically
from eyespot.data.transforms import needed_short_side
from eyespot.errors import UsageError
from eyespot.export.check import checked
from eyespot.export.formats import onnx_file, run_onnx
from eyespot.export.onnxruntime_web import VERSION, runtime_files
from eyespot.export.write import Exported
from eyespot.progress import Progress
from eyespot.tasks.classification.classifier import Classifier

ABOUT = "eyespot.json"
PAGE = {
    "export/static": (
        "announce.js",
        "index.html",
        "model.js",
        "onnxruntime-licence.txt",
        "page.css",
        "photo_input.js",
    ),
    "report": ("style.css",),
    "studio/static": ("camera.js", "look.css", "watch.js"),
    "web/static": ("bars.js", "controls.css", "dom.js", "eye.svg", "files.js", "percent.js"),
}
"""Files of the page, by folder of this package: it shares styles and scripts with the studio."""
SCRIPTS = {"classifier": "page.js", "detector": "detector.js"}
"""The page's own script, which is called page.js in the folder."""
WORDS = {
    "classifier": {},
    "detector": {
        "classifier": "detector",
        "Classifier": "Detector",
        "Classify photos": "Detect objects",
        "Probability of each class": "Number of boxes of each class",
    },
}
"""What the page says of a model, in place of the words for a classifier."""
MOST_ABOUT = 10_000_000

USE = """\
python3 -m http.server --bind 127.0.0.1 --directory {folder}

Then open http://127.0.0.1:8000. Any web server works, but browsers allow the camera only on
127.0.0.1 and over https. A page opened as a file cannot load its scripts.
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

    `name`: of the classifier, for the page; the folder's name if None. `onnxruntime`: the package
    file of onnxruntime-web; None to download it once from npm's registry. Replaces the folder of
    an earlier export. Raises as `export_file` does; UsageError if the folder holds other files;
    ExportError if the package is not available. Nothing is written then.
    """
    folder = Path(folder).resolve()
    refuse_others(folder)
    about = {
        "name": name or folder.name,
        "labels": classifier.classes,
        "short_side": needed_short_side(classifier.backbone.preprocessing),
    }
    runtime = None if onnxruntime is None else Path(onnxruntime)
    content = page_files("classifier", runtime, progress)
    model, agreement = checked(onnx_file, run_onnx, classifier, check_with, progress)
    write_folder(folder, content | {"classifier.onnx": model}, about)
    return Exported((folder,), agreement, USE.format(folder=shlex.quote(str(folder))))


def page_files(noun: str, onnxruntime: Path | None, progress: Progress) -> dict[str, bytes]:
    """The files of a page, by name, without the model and `ABOUT`. `noun`: of SCRIPTS.

    `onnxruntime`, errors: as of `export_web`.
    """
    content = runtime_files(onnxruntime, progress)
    for place, names in PAGE.items():
        source = files("eyespot").joinpath(*place.split("/"))
        content |= {name: source.joinpath(name).read_bytes() for name in names}
    script = files("eyespot").joinpath("export", "static", SCRIPTS[noun])
    page = content["index.html"].decode()
    for word, other in WORDS[noun].items():
        page = page.replace(word, other)
    return content | {"page.js": script.read_bytes(), "index.html": page.encode()}


def write_folder(folder: Path, content: Mapping[str, bytes], about: Mapping[str, Any]) -> None:
    """Replace `folder` by files `content`, by name, and `ABOUT`, which the page reads; on an error,
    `folder` stays as before."""
    described = {
        **about,
        "eyespot": __version__,
        "onnxruntime-web": VERSION,
        "files": sorted((*content, ABOUT)),
    }
    content = {**content, ABOUT: json.dumps(described, indent=1).encode()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{os.urandom(6).hex()}.part")
    old = draft.with_suffix(".old")
    try:
        draft.mkdir()
        for name, data in content.items():
            write_atomically(draft / name, data)
        refuse_others(folder)  # again, after a minute of work
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def refuse_others(folder: Path) -> None:
    """Raises UsageError if `folder` holds anything that no export wrote."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file. Name a folder.")
    if Path.cwd().is_relative_to(folder):
        raise UsageError(
            f"{folder} is the current folder and would be replaced. Name another folder."
        )
    try:
        with (folder / ABOUT).open("rb") as file:
            written = set(json.loads(file.read(MOST_ABOUT))["files"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        written = set()
    for path in folder.iterdir():
        if path.name not in written or not path.is_file():
            raise UsageError(
                f"{folder} holds {path.name!r}, which eyespot did not write. Choose another "
                "folder, or move the file elsewhere."
            )
