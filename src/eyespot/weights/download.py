"""Download published files once, verify them, and resume after a cut connection."""

import contextlib
import errno
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from eyespot.atomic import write_atomically
from eyespot.errors import WeightsError
from eyespot.shown import shown
from eyespot.weights.http import CHUNK, Kind, chunks, cut_error, open_url, otherwise, start_of
from eyespot.weights.published import digest_record, published_digest

logger = logging.getLogger(__name__)

PUBLISHER = "https://download.pytorch.org/models/"
LIMIT = 2**30
"""The most bytes; the largest published file has half as many."""
DIGITS = 64
"""Digits of a whole sha256."""

Progress = Callable[[int, int], None]
"""Called with the bytes received and the total, 0 if the server does not send it."""


WEIGHTS = Kind(
    "Weights",
    "EYESPOT_WEIGHTS_MIRROR",
    "EYESPOT_WEIGHTS",
    "fetch it on another machine and import it with: eyespot weights NAME FILE",
    WeightsError,
)


def fetch_published(file_name: str, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file that torchvision publishes into `folder`, and verify its sha256.

    EYESPOT_WEIGHTS_MIRROR replaces the publisher's server. Where only the first digits of the
    sha256 are known, the digest of the received file is kept beside it for later checks. Without
    `progress`, a terminal shows a bar. Raises WeightsError.
    """
    mirror = os.environ.get("EYESPOT_WEIGHTS_MIRROR") or PUBLISHER
    path = folder / file_name
    known = published_digest(path)
    if len(known) < DIGITS and mirror != PUBLISHER and not path.is_file():
        logger.warning(
            "Only the first %d digits of the sha256 of %s are known, which do not prove that the "
            "file from %s is the published one.",
            len(known),
            file_name,
            mirror,
        )
    found = download(f"{mirror.rstrip('/')}/{file_name}", path, known, progress)
    if found and len(known) < DIGITS:
        with contextlib.suppress(OSError):
            write_atomically(digest_record(path), f"{found}\n".encode())
    return path


def download(
    url: str, path: Path, digest: str, progress: Progress | None = None, kind: Kind = WEIGHTS
) -> str:
    """Download `url` to the file `path`, unless it exists.

    `digest`: hash of the content, or its first digits. Returns the whole hash; "" if the file
    exists.

    An incomplete file has ".part" at the end of its name; the next try resumes it. Of several
    processes one downloads, and the others wait. Raises the error of the kind.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:  # brackets without an IPv6 address
        scheme = ""
    if scheme not in ("http", "https"):
        raise kind.error(
            f"{kind.name} are downloaded over http or https only, not from {url}. "
            f"Correct or unset {kind.mirror}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if path.is_file():
                return ""
            part = path.with_name(f"{path.name}.part")
            try:
                with contextlib.nullcontext(progress) if progress else _bar(path.name) as report:
                    found = _complete(url, part, digest, report, kind)
            finally:
                if part.is_file() and part.stat().st_size == 0:  # nothing was received
                    part.unlink()
            if not found.startswith(digest):
                part.unlink(missing_ok=True)
                raise kind.error(
                    f"The file from {url} is not the published one: its {kind.algorithm} begins "
                    f"with {found[: len(digest)]}, not {digest}. It was deleted; try again, or "
                    f"set {kind.mirror} to another server."
                )
            part.replace(path)
            return found
    except OSError as error:  # of the disk: network errors are handled elsewhere
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            path.with_name(f"{path.name}.part").unlink(missing_ok=True)
            why = "The disk is full"
        else:
            why = f"Writing failed ({error.strerror or error})"
        raise kind.error(
            f"{path.name} cannot be written to {path.parent}. {why}. Make room there, or set "
            f"{kind.folder} to another folder."
        ) from error


def _complete(url: str, part: Path, digest: str, progress: Progress, kind: Kind) -> str:
    """Download the rest of `part`; the hash of the whole file."""
    whole, limit = hashlib.new(kind.algorithm), kind.limit or LIMIT
    part.touch()
    with part.open("r+b") as file:
        while chunk := file.read(CHUNK):
            whole.update(chunk)
        if whole.hexdigest().startswith(digest):  # complete, but not yet renamed
            return whole.hexdigest()
        with open_url(url, file.tell(), kind) as response:
            packed = response.headers.get("Content-Encoding", "identity")
            if packed.strip().lower() not in ("", "identity"):
                raise kind.error(
                    f"{url} is sent in another encoding ({shown(packed)}) than requested. "
                    f"{otherwise(kind)}"
                )
            start = start_of(response)
            if start != file.tell():  # the server cannot resume
                start = file.seek(0)
                file.truncate()
                whole = hashlib.new(kind.algorithm)
            length = response.length
            total = start + length if length is not None else 0
            for chunk in chunks(response, url, kind):
                if max(total, file.tell() + len(chunk)) > limit:
                    file.truncate(file.seek(0))
                    raise kind.error(
                        f"{url} is larger than {limit // 2**20} MB, the limit for published files. "
                        f"Set {kind.mirror} to another server."
                    )
                file.write(chunk)
                whole.update(chunk)
                progress(file.tell(), total)
            if file.tell() < total:
                raise cut_error(url, f"it ended after {file.tell():,} of {total:,} bytes", kind)
        file.flush()
        os.fsync(file.fileno())
    return whole.hexdigest()


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """A progress bar on standard error, if that is a terminal."""
    from rich import progress as rich
    from rich.console import Console

    with rich.Progress(
        "{task.description}",
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bars:
        task = bars.add_task(f"Downloading {name}", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total or None)
