"""Look at where results will go before the work begins; write pictures there."""

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.atomic import write_atomically
from eyespot.cli.show import printable
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path] = ()) -> None:
    """Raises UsageError if one of `outputs` cannot be written, or would replace another or one of
    `inputs`. Devices and pipes are written to as they are."""
    taken = {path.resolve(): path for path in inputs}
    for path in outputs:
        if path is None:
            continue
        name = printable(str(path))
        if path.is_dir():
            raise UsageError(f"{name} is a folder. Name a file in it.")
        if path.exists() and not path.is_file():
            continue
        if path.resolve() in taken:
            raise UsageError(
                f"{name} would be written over {printable(str(taken[path.resolve()]))}. "
                "Choose another name."
            )
        taken[path.resolve()] = path
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise UsageError(
                f"{name} cannot be written: {printable(str(folder))} is no folder that lets you. "
                "Choose another."
            )


def check_folder(folder: Path, first: str) -> None:
    """Raises UsageError if `folder` is a file, or its file `first` cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{printable(str(folder))} is a file. Name a folder.")
    check_outputs([folder / first])


def check_format(output: Path, name: str) -> None:
    """Raises UsageError if `output` is not called as files of the format `name` ("PNG") are.
    Devices and pipes may be called anything."""
    ending = f".{name.lower()}"
    if output.suffix.lower() != ending and (output.is_file() or not output.exists()):
        raise UsageError(
            f"Pictures are written as {name}, and {printable(str(output))} is called something "
            f"else. Choose a name that ends in {ending}."
        )


def write_png(image: "Image", path: Path) -> str:
    """Write a picture, atomically; in words, what was written. Raises OSError as writing does."""
    content = io.BytesIO()
    image.save(content, "PNG")
    write_atomically(path, content.getvalue())
    return f"{printable(str(path))}: {image.width} x {image.height} pixels"
