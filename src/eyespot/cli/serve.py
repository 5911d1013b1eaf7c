"""`eyespot serve`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from eyespot.cli.show import say
from eyespot.errors import MissingExtraError, UsageError
from eyespot.files import read_file
from eyespot.limits import (
    MAX_KEY_FILE_BYTES,
    MAX_REQUEST_BYTES,
    MAX_REQUEST_PHOTOS,
    MAX_REQUEST_SECONDS,
    MAX_WAITING_PHOTOS,
)

LONG = 16
"""Characters of a key that is long enough not to be guessed."""
logger = logging.getLogger(__name__)


def serve(
    files: Annotated[list[Path], typer.Argument(help="Classifiers, each under its file's name.")],
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0: everywhere.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    api_keys: Annotated[
        Path | None, typer.Option(help="A file of keys, one a line; callers must show one.")
    ] = None,
    open_to_all: Annotated[
        bool, typer.Option("--open", help="Without keys, let others than this machine call.")
    ] = False,
    max_bytes: Annotated[int, typer.Option(min=1000, help="Of a request.")] = MAX_REQUEST_BYTES,
    max_pictures: Annotated[int, typer.Option(min=1, help="In a request.")] = MAX_REQUEST_PHOTOS,
    queue: Annotated[
        int, typer.Option(min=1, help="Pictures of a model under way.")
    ] = MAX_WAITING_PHOTOS,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds for a request.")
    ] = MAX_REQUEST_SECONDS,
) -> int:
    """Let other programs ask classifiers, by HTTP.

    Example: eyespot serve pets.eyespot
    """
    try:
        from eyespot.serve.front import digest
        from eyespot.serve.logs import write_json_lines
        from eyespot.serve.server import run
        from eyespot.serve.settings import Limits, Settings
        from eyespot.serve.shelf import check_names
    except ModuleNotFoundError as error:
        raise MissingExtraError("The server", "serve") from error
    if max_pictures > queue:
        raise UsageError(
            f"A request of {max_pictures} pictures would never fit into a queue of {queue}. Give "
            "--queue at least as many as --max-pictures."
        )
    check_names(files)
    keys = _keys(api_keys) if api_keys else []
    if any(len(key) < LONG for key in keys):
        write_json_lines()
        why = f"Keys of fewer than {LONG} characters can be guessed. Write longer ones."
        logger.warning("short keys", extra={"facts": {"file": str(api_keys), "why": why}})
    limits = Limits(max_bytes, max_pictures, timeout, queue)
    settings = Settings(tuple(files), tuple(map(digest, keys)), limits=limits)
    return run(settings, host, port, workers, _say, open_to_all=open_to_all)


def _keys(path: Path) -> list[str]:
    try:
        text = read_file(path, MAX_KEY_FILE_BYTES).decode("ascii")
    except OSError as error:
        raise UsageError(f"The keys in {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The keys in {path} must be plain ASCII, one a line.") from error
    keys = [line.strip() for line in text.splitlines() if line.strip()]
    if not keys:
        raise UsageError(f"There is no key in {path}. Write one a line, each hard to guess.")
    return keys


def _say(address: str) -> None:
    say(f"Serving at {address} (Ctrl-C ends it)", flush=True)
