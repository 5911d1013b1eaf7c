"""ONNX Runtime for browsers: one version of its npm package, fetched once, and what a page needs
of it."""

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
"""As npm publishes it."""
MEGABYTES = 26
REGISTRY = "https://registry.npmjs.org"
FILES = {
    "onnxruntime.js": "ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""What a page needs, by the name that it gets there: many servers do not know what .mjs is."""
MOST_PACKED = 2**26
MOST_UNPACKED = 2**26
"""Bytes of a single file."""
KIND = Kind(
    "npm packages",
    "EYESPOT_NPM_REGISTRY",
    "EYESPOT_CACHE",
    "fetch it on another machine and name it: --onnxruntime FILE",
    ExportError,
    "sha512",
    MOST_PACKED,
)


def runtime_files(file: Path | None, progress: Progress) -> dict[str, bytes]:
    """The content of `FILES`, from the package in `file`, or from the cache, where it is fetched
    to unless it is there.

    Raises ExportError if it cannot be fetched, or is not what was published; UsageError if there
    is no such file; CacheError.
    """
    path = file or _cached()
    if file is None and (url := address()) is not None:
        stage = f"Fetching onnxruntime-web {VERSION} (MB)"

        def tell(done: int, total: int) -> None:
            progress(stage, done // 10**6, (total or MEGABYTES * 10**6) // 10**6)

        download(url, path, _digest(), tell, KIND)
    content = _read(path)
    if hashlib.sha512(content).hexdigest() != _digest():
        if file is None:  # the disk spoilt it
            path.unlink()
        raise ExportError(
            f"{path} is not the package onnxruntime-web {VERSION} as npm publishes it: its sha512 "
            + (
                "differs. It was thrown away; try again."
                if file is None
                else f"differs. Fetch it with: npm pack onnxruntime-web@{VERSION}"
            )
        )
    return unpack(content)


def address() -> str | None:
    """Where the package will be fetched from; None if it is in the cache.

    EYESPOT_NPM_REGISTRY names a registry; otherwise it is the one that npm uses here.
    """
    if _cached().is_file():
        return None
    registry = os.environ.get(KIND.mirror) or _registry_of_npm() or REGISTRY
    return f"{registry.rstrip('/')}/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"


def unpack(package: bytes) -> dict[str, bytes]:
    """The content of `FILES`. Nothing is written, and no name in the package is used for more than
    to find them. Raises ExportError if one is missing, no plain file, or too large."""
    wanted = {f"package/dist/{name}": ours for ours, name in FILES.items()}
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(package), mode="r|gz") as archive:
            for member in archive:
                if member.size > MOST_UNPACKED:
                    raise ExportError(
                        f"{member.name!r} in the package onnxruntime-web {VERSION} has "
                        f"{member.size:,} bytes, at most {MOST_UNPACKED:,} are unpacked."
                    )
                if member.name in wanted and member.isreg():
                    content = archive.extractfile(member)
                    assert content is not None  # of a plain file
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


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_PACKED)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Name another file.") from error


@cache
def _registry_of_npm() -> str | None:
    if (npm := shutil.which("npm")) is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        line = [npm, "config", "get", "registry"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - a fixed line
        return done.stdout.strip() or None
    return None
