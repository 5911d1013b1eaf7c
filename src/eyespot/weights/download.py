"""Fetch what was published: once, whole, and going on where a cut connection left off."""

import contextlib
import errno
import hashlib
import http.client
import logging
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from eyespot.atomic import write_atomically
from eyespot.errors import EyespotError, WeightsError
from eyespot.shown import shown
from eyespot.weights.published import digest_record, published_digest

logger = logging.getLogger(__name__)

PUBLISHER = "https://download.pytorch.org/models/"
LIMIT = 2**30
"""Bytes; the greatest published file has half as many."""
TIMEOUT = 30.0
"""Seconds without a single byte after which a server counts as gone."""
LEAST_SPEED = 500
"""Bytes a second below which a server counts as gone, too: the smallest published file would take
three hours."""
CHUNK = 1 << 18
DIGITS = 64
"""Of a whole sha256."""

Progress = Callable[[int, int], None]
"""Told of bytes here and bytes in all, the latter 0 if the server does not say."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is fetched, as errors tell of it. `mirror`, `folder`: the settings that say where from,
    and where to. `otherwise`: what to do without a connection. `algorithm`: of the digest.
    `limit`: bytes; LIMIT if None."""

    name: str
    mirror: str
    folder: str
    otherwise: str
    error: type[EyespotError]
    algorithm: str = "sha256"
    limit: int | None = None


WEIGHTS = Kind(
    "Weights",
    "EYESPOT_WEIGHTS_MIRROR",
    "EYESPOT_WEIGHTS",
    "fetch it on another machine and import it with: eyespot weights NAME FILE",
    WeightsError,
)


def fetch_published(file_name: str, folder: Path, progress: Progress | None = None) -> Path:
    """The file that torchvision publishes under this name, in `folder`, with its sha256 verified.

    EYESPOT_WEIGHTS_MIRROR is where to fetch it from, if not from its publisher. Where only the
    first digits of the sha256 are known, the whole of what came is kept beside the file, which must
    agree with it from then on. Without `progress`, a terminal shows a bar. Raises WeightsError,
    which says what to do.
    """
    mirror = os.environ.get("EYESPOT_WEIGHTS_MIRROR") or PUBLISHER
    path = folder / file_name
    known = published_digest(path)
    if len(known) < DIGITS and mirror != PUBLISHER and not path.is_file():
        logger.warning(
            "Only the first %d digits of the sha256 of %s are known, which do not prove that %s "
            "serves what was published.",
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
    """Make what `url` serves the file `path`, unless that is there. `digest`: the hash of the right
    content, or how it begins. Returns the whole hash; nothing if the file was there.

    Until it is whole it grows in `path` with ".part" at its end, which the next try goes on with.
    Of several processes one downloads, and the others wait. Raises the error of its kind.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:  # brackets without an address of version 6
        scheme = ""
    if scheme not in ("http", "https"):
        raise kind.error(
            f"{kind.name} are fetched from http or https only, not from {url}. "
            f"Correct or unset {kind.mirror}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if path.is_file():
                return ""
            part = path.with_name(f"{path.name}.part")
            try:
                with contextlib.nullcontext(progress) if progress else _bar(path.name) as told:
                    found = _complete(url, part, digest, told, kind)
            finally:
                if part.is_file() and part.stat().st_size == 0:  # nothing came
                    part.unlink()
            if not found.startswith(digest):
                part.unlink(missing_ok=True)
                raise kind.error(
                    f"What {url} serves is not what was published: its {kind.algorithm} begins "
                    f"with {found[: len(digest)]}, not {digest}. It was thrown away; try again, or "
                    f"set {kind.mirror} to another server."
                )
            part.replace(path)
            return found
    except OSError as error:  # what comes over the network is dealt with below
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            path.with_name(f"{path.name}.part").unlink(missing_ok=True)
            why = "The disk is full"
        else:
            why = f"The system refused ({error.strerror or error})"
        raise kind.error(
            f"{why}, so that {path.name} cannot be kept in {path.parent}. Make room there, or set "
            f"{kind.folder} to another folder."
        ) from error


def _complete(url: str, part: Path, digest: str, progress: Progress, kind: Kind) -> str:
    """Fetch what `part` lacks; the hash of the whole."""
    whole, limit = hashlib.new(kind.algorithm), kind.limit or LIMIT
    part.touch()
    with part.open("r+b") as file:
        while chunk := file.read(CHUNK):
            whole.update(chunk)
        if whole.hexdigest().startswith(digest):  # killed before it could be renamed
            return whole.hexdigest()
        with _open(url, file.tell(), kind) as response:
            packed = response.headers.get("Content-Encoding", "identity")
            if packed.strip().lower() not in ("", "identity"):
                raise kind.error(
                    f"{url} is sent packed ({shown(packed)}), though that was not asked for. "
                    f"{_otherwise(kind)}"
                )
            start = _start(response)
            if start != file.tell():  # the server cannot go on in the middle
                start = file.seek(0)
                file.truncate()
                whole = hashlib.new(kind.algorithm)
            length = response.length
            total = start + length if length is not None else 0
            for chunk in _chunks(response, url, kind):
                if max(total, file.tell() + len(chunk)) > limit:
                    file.truncate(file.seek(0))
                    raise kind.error(
                        f"{url} is larger than {limit // 2**20} MB, more than was ever published. "
                        f"Set {kind.mirror} to another server."
                    )
                file.write(chunk)
                whole.update(chunk)
                progress(file.tell(), total)
            if file.tell() < total:
                raise _cut(url, f"it ended after {file.tell():,} of {total:,} bytes", kind)
        file.flush()
        os.fsync(file.fileno())
    return whole.hexdigest()


def _open(url: str, start: int, kind: Kind) -> http.client.HTTPResponse:
    """Ask for all from byte `start` on. Raises the error of its kind."""
    request = urllib.request.Request(url, headers={"User-Agent": "eyespot"})  # noqa: S310 - _opener
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: http.client.HTTPResponse = _opener().open(request, timeout=TIMEOUT)
        return response
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # more is here than there: not the same file
            return _open(url, 0, kind)
        raise kind.error(
            f"{url} cannot be fetched: the server says {error.code} {_line(error.reason)}. "
            f"{_otherwise(kind)}"
        ) from error
    # ValueError: where the server sends on to is no address.
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = _line(getattr(error, "reason", error))
        raise kind.error(
            f"{url} cannot be reached ({reason}). Check the connection and try again. "
            f"{_otherwise(kind)}"
        ) from error


def _otherwise(kind: Kind) -> str:
    return f"Otherwise set {kind.mirror} to a server that has the file, or {kind.otherwise}"


def _line(reason: object) -> str:
    """What a server says, on one line, and no longer than that."""
    return " ".join(str(reason).split())[:200]


class _Redirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.type == "https" and not newurl.lower().startswith("https:"):
            raise urllib.error.URLError(
                "the server sends on from https to http, where anybody could answer"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except Exception:
            fp.close()  # nobody else does where it sends on to nowhere
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """Follows redirections, but to nothing other than http and https, and never from the latter to
    the former."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        _Redirections(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _start(response: http.client.HTTPResponse) -> int:
    """Where in the file the response begins; it may begin anew, whatever was asked for."""
    if response.status != 206:
        return 0
    begin = re.match(r"bytes ([0-9]{1,20})-", response.headers.get("Content-Range", ""))
    return int(begin[1]) if begin else -1


def _chunks(response: http.client.HTTPResponse, url: str, kind: Kind) -> Iterator[bytes]:
    """What comes. Raises the error of its kind if too little does in a time."""
    since, came = monotonic(), 0
    while True:
        try:
            chunk = response.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _cut(url, str(error) or type(error).__name__, kind) from error
        if not chunk:
            return
        yield chunk
        came += len(chunk)
        if (now := monotonic()) - since > TIMEOUT:
            if came < TIMEOUT * LEAST_SPEED:
                raise _cut(url, f"only {came:,} bytes came in {now - since:.0f} s", kind)
            since, came = now, 0


def _cut(url: str, why: str, kind: Kind) -> EyespotError:
    return kind.error(
        f"The connection to {url} was cut ({why}). What came is kept; the next try goes on from it."
    )


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """A bar on standard error; none if that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(f"Fetching {name}", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total or None)
