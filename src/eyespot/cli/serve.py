"""`eyespot serve`."""

import logging
from pathlib import Path
from typing import Annotated

from eyespot.cli.options import argument, option, options_of
from eyespot.cli.show import say
from eyespot.errors import MissingExtraError, UsageError
from eyespot.files import read_file
from eyespot.limits import MAX_KEY_FILE_BYTES
from eyespot.serve.settings import Limits, Settings

LONG = 16
"""Characters of a key that is too long to be guessed."""
LIMITS = {
    "bytes": option("Bytes in a request.", "--max-bytes", min=1000),
    "photos": option("Photos in a request.", "--max-photos", min=1),
    "waiting": option("Photos that wait for a model.", "--queue", min=1),
    "seconds": option("Seconds for a request.", "--timeout", min=0.1),
}
logger = logging.getLogger(__name__)


@options_of("limits", Limits(), LIMITS)
def serve(
    files: Annotated[list[Path], argument("Classifiers; the name of the file is part of the URL.")],
    host: Annotated[str, option("Address to listen on; 0.0.0.0: all.")] = "127.0.0.1",
    port: Annotated[int, option("Port to listen on; 0: a free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, option("Worker processes.", min=1, max=64)] = 1,
    api_keys: Annotated[Path | None, option("A file of API keys, one per line.")] = None,
    open_to_all: Annotated[
        bool, option("Without keys, serve other machines, too.", "--open")
    ] = False,
    *,
    limits: Limits,
) -> int:
    """Serve classifiers and detectors over HTTP.

    Example: eyespot serve pets.eyespot
    """
    try:
        from eyespot.serve.front import digest
        from eyespot.serve.logs import write_json_lines
        from eyespot.serve.server import run
        from eyespot.serve.shelf import check_names
    except ModuleNotFoundError as error:
        raise MissingExtraError("The server", "serve") from error
    if limits.photos > limits.waiting:
        raise UsageError(
            f"A request of {limits.photos:,} photos never fits into a queue of "
            f"{limits.waiting:,}. Raise --queue to --max-photos or more."
        )
    check_names(files)
    keys = _keys(api_keys) if api_keys else []
    if any(len(key) < LONG for key in keys):
        write_json_lines()
        why = f"Keys of fewer than {LONG} characters can be guessed. Write longer ones."
        logger.warning("short keys", extra={"facts": {"file": str(api_keys), "why": why}})
    settings = Settings(tuple(files), tuple(map(digest, keys)), limits=limits)
    return run(settings, host, port, workers, _announce, open_to_all=open_to_all)


def _keys(path: Path) -> list[str]:
    try:
        text = read_file(path, MAX_KEY_FILE_BYTES).decode("ascii")
    except OSError as error:
        raise UsageError(
            f"The keys in {path} cannot be read: {error.strerror}. Check the file."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The keys in {path} must be plain ASCII, one per line.") from error
    keys = [line.strip() for line in text.splitlines() if line.strip()]
    if not keys:
        raise UsageError(f"There is no key in {path}. Write one in each line, hard to guess.")
    return keys


def _announce(address: str) -> None:
    say(f"Serving at {address} (Ctrl-C ends it)", flush=True)
