"""ONNX Runtime for browsers: its npm package, downloaded once in a fixed version."""

import base64
import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import zlib
from functools import cache
from pathlib import Path

from eyespot.errors import ExportError, UsageError
from eyespot.features.cache_folder import cache_folder
from eyespot.progress import Progress
from eyespot.weights.download import download
from eyespot.weights.http import Kind

VERSION = "1.23.2"
INTEGRITY = (
    "sha512-T09JUtMn+CZLk3mFwqiH0lgQf+4S7+oYHHtk6uha"
    "YAAJI95bTcKi5bOOZYwORXfS/RLZCjDDEXGWIuOCAFlEjg=="
)
"""As published by npm."""
MEGABYTES = 26
REGISTRY = "https://registry.npmjs.org"
FILES = {
    "onnxruntime.js": "ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""Files of the page, by their names there: many servers have no media type for .mjs."""
MOST_PACKED = 2**26
MOST_UNPACKED = 2**26
"""Largest file, in bytes."""
KIND = Kind(
    "npm packages",
    "EYESPOT_NPM_REGISTRY",
    "EYESPOT_CACHE",
    "download it on another machine and name it: --onnxruntime FILE",
    ExportError,
    "sha512",
    MOST_PACKED,
)


def runtime_files(file: Path | None, progress: Progress) -> dict[str, bytes]:
    """The content of `FILES`, from the package `file`, or from the cache after a download.

    Raises ExportError if the download fails or its digest differs, UsageError if `file` is
    unreadable, CacheError.
    """
    path = file or _cached()
    if file is None and (url := address()) is not None:
        stage = f"Downloading onnxruntime-web {VERSION} (MB)"

        def tell(done: int, total: int) -> None:
            progress(stage, done // 10**6, (total or MEGABYTES * 10**6) // 10**6)

        download(url, path, _digest(), tell, KIND)
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_PACKED)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Name another file.") from error
    if hashlib.sha512(content).hexdigest() != _digest():
        if file is None:  # damaged on the disk
            path.unlink()
        raise ExportError(
            f"{path} is not the published package onnxruntime-web {VERSION}: its sha512 differs. "
            + (
                "The file was deleted; try again."
                if file is None
                else f"Download it with: npm pack onnxruntime-web@{VERSION}"
            )
        )
    return unpack(content)


def address() -> str | None:
    """The URL of the package; None if it is in the cache.

    EYESPOT_NPM_REGISTRY names a registry; the default is npm's configured registry.
    """
    if _cached().is_file():
        return None
    registry = os.environ.get(KIND.mirror) or _registry_of_npm() or REGISTRY
    return f"{registry.rstrip('/')}/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"


def unpack(package: bytes) -> dict[str, bytes]:
    """The content of `FILES`. Nothing is written to the disk.

    Raises ExportError if a file is missing, not a regular file, or too large.
    """
    wanted = {f"package/dist/{name}": ours for ours, name in FILES.items()}
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(package), mode="r|gz") as archive:
            for member in archive:
                if member.size > MOST_UNPACKED:
                    raise ExportError(
                        f"{member.name!r} in the package onnxruntime-web {VERSION} has "
                        f"{member.size:,} bytes; at most {MOST_UNPACKED:,} are allowed."
                    )
                if member.name in wanted and member.isreg():
                    content = archive.extractfile(member)
                    assert content is not None  # a regular file has content
                    found[wanted[member.name]] = content.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ExportError(f"The package onnxruntime-web {VERSION} is damaged ({error}).") from error
    if missing := [FILES[ours] for ours in wanted.values() if ours not in found]:
        raise ExportError(f"The package onnxruntime-web {VERSION} has no file {missing[0]}.")
    return found


def _cached() -> Path:
    return cache_folder() / "npm" / f"onnxruntime-web-{VERSION}.tgz"


def _digest() -> str:
    return base64.b64decode(INTEGRITY.removeprefix("sha512-")).hex()


@cache
def _registry_of_npm() -> str | None:
    if (npm := shutil.which("npm")) is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        line = [npm, "config", "get", "registry"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - a fixed line
        return done.stdout.strip() or None
    return None
