"""HTTP requests of downloads: resumable, with time limits, and errors that name what to do."""

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from eyespot.errors import EyespotError

TIMEOUT = 30.0
"""Seconds without a byte after which the download fails."""
LEAST_SPEED = 500
"""Bytes a second below which the download fails: the smallest published file would take three
hours."""
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of files, for error messages. `mirror`, `folder`: the settings of the server and the
    folder. `otherwise`: what to do without a connection. `algorithm`: of the digest. `limit`: the
    most bytes; `download.LIMIT` if None."""

    name: str
    mirror: str
    folder: str
    otherwise: str
    error: type[EyespotError]
    algorithm: str = "sha256"
    limit: int | None = None


def open_url(url: str, start: int, kind: Kind) -> http.client.HTTPResponse:
    """Request the bytes from `start` on. Raises the error of the kind."""
    opener = urllib.request.build_opener(_Redirections())
    request = urllib.request.Request(url, headers={"User-Agent": "eyespot"})  # noqa: S310 - http or https
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
        return response
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # the partial file is longer: not the same file
            return open_url(url, 0, kind)
        raise kind.error(
            f"{url} cannot be fetched: the server says {error.code} {_line(error.reason)}. "
            f"{otherwise(kind)}"
        ) from error
    # ValueError: the server redirects to an invalid address.
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = _line(getattr(error, "reason", error))
        raise kind.error(
            f"{url} cannot be reached ({reason}). Check the connection and try again. "
            f"{otherwise(kind)}"
        ) from error


def otherwise(kind: Kind) -> str:
    return f"Otherwise set {kind.mirror} to a server that has the file, or {kind.otherwise}"


def _line(reason: object) -> str:
    """A server's reason as one line of up to 200 characters."""
    return " ".join(str(reason).split())[:200]


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Redirections to http and https only, and never from https to http."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        allowed = ("https:",) if req.type == "https" else ("https:", "http:")
        if not newurl.lower().startswith(allowed):
            raise urllib.error.URLError(
                "the server redirects from https to http, or to another protocol"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except Exception:
            fp.close()  # which the base class leaves open after a failed redirection
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def start_of(response: http.client.HTTPResponse) -> int:
    """The byte of the file at which the response starts; a server may ignore the requested one."""
    if response.status != 206:
        return 0
    begin = re.match(r"bytes ([0-9]{1,20})-", response.headers.get("Content-Range", ""))
    return int(begin[1]) if begin else -1


def chunks(response: http.client.HTTPResponse, url: str, kind: Kind) -> Iterator[bytes]:
    """The content, piece by piece. Raises the error of the kind if the connection is too slow."""
    since, came = monotonic(), 0
    while True:
        try:
            chunk = response.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise cut_error(url, str(error) or type(error).__name__, kind) from error
        if not chunk:
            return
        yield chunk
        came += len(chunk)
        if (now := monotonic()) - since > TIMEOUT:
            if came < TIMEOUT * LEAST_SPEED:
                raise cut_error(url, f"only {came:,} bytes came in {now - since:.0f} s", kind)
            since, came = now, 0


def cut_error(url: str, why: str, kind: Kind) -> EyespotError:
    return kind.error(
        f"The connection to {url} was cut ({why}). The received part is kept; the next try resumes."
    )
