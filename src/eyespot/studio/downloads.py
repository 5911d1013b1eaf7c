"""Files that pages download."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from eyespot.studio.names import folder_names


def download(project: str, extension: str, write: Callable[[Path], object]) -> FileResponse:
    """A file of `write`, named like the project; the temporary file is removed once it is sent."""
    folder = tempfile.TemporaryDirectory(prefix="eyespot-")
    try:
        path = Path(folder.name) / f"file{extension}"
        write(path)
        name = folder_names([project])[0] + extension
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, filename=name, background=BackgroundTask(folder.cleanup))
