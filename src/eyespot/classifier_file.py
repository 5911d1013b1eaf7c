"""The file format NAME.eyespot: a zip of JSON, safetensors and Markdown, and nothing executable.

| member               | what it holds                                                     |
|----------------------|-------------------------------------------------------------------|
| manifest.json        | format, version, classes, backbone, head, metrics, thresholds     |
| head.safetensors     | the head's arrays and the references of familiarity               |
| photos.safetensors   | optional: features, hashes, labels, thumbnails of taught photos    |
| network.safetensors  | optional: the network, where its weights are the classifier's own |
| README.md            | the model card                                                    |

Members that a later version adds are ignored; a later format version is refused.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.atomic import atomic_writer
from eyespot.data.formats import ZIP_FAULTS, zip_member
from eyespot.errors import ClassifierFileError
from eyespot.files import expect_file
from eyespot.limits import MAX_MANIFEST_BYTES, MAX_MEMBER_BYTES

FORMAT = "eyespot-classifier"
FORMAT_VERSION = 1
PHOTOS = "photos.safetensors"
NETWORK = "network.safetensors"

Tensors = dict[str, NDArray[Any]]


def write(
    path: Path,
    manifest: Mapping[str, Any],
    head: Tensors,
    photos: Tensors | None,
    card: str,
    network: bytes | None = None,
) -> None:
    """Write atomically: a kill, or a full disk, leaves what was there before.

    `network`: its weights, a safetensors file.

    Raises ClassifierFileError if the disk refuses.
    """
    from safetensors.numpy import save

    whole = {"format": FORMAT, "format_version": FORMAT_VERSION, **manifest}
    whole["has_photos"] = photos is not None
    try:
        with atomic_writer(path) as file, zipfile.ZipFile(file, "w") as archive:
            # Escaped, because a name in an old encoding has characters that UTF-8 cannot hold.
            text, readme = json.dumps(whole, indent=1), card.encode("utf-8", "replace")
            archive.writestr(zip_member("manifest.json"), text, zipfile.ZIP_DEFLATED)
            archive.writestr(zip_member("README.md"), readme, zipfile.ZIP_DEFLATED)
            # Features hardly compress; stored they are read at the speed of the disk.
            archive.writestr(zip_member("head.safetensors"), save(_contiguous(head)))
            if photos is not None:
                archive.writestr(zip_member(PHOTOS), save(_contiguous(photos)))
            if network is not None:
                archive.writestr(zip_member(NETWORK), network)
    except OSError as error:
        raise ClassifierFileError(
            f"{path} cannot be written: {error.strerror or error}. What was there is unchanged."
        ) from error


def read(path: Path) -> tuple[dict[str, Any], Tensors, str]:
    """Manifest, head arrays and model card.

    Raises ClassifierFileError if the file is missing, damaged, foreign, or from a later version.
    """
    with _Archive(path) as archive:
        try:
            manifest = json.loads(archive.member("manifest.json", MAX_MANIFEST_BYTES))
        except (ValueError, RecursionError) as error:
            raise _damaged(path, f"manifest.json is not JSON ({error})") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ClassifierFileError(
                f"{path} is a zip file, but not an eyespot classifier. Make one with: "
                "eyespot teach PHOTOS -o NAME.eyespot"
            )
        version = manifest.get("format_version")
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise ClassifierFileError(
                f"{path} has format version {version}, this eyespot reads up to {FORMAT_VERSION}. "
                "Upgrade it with: pip install --upgrade eyespot"
            )
        if manifest.get("has_photos") and PHOTOS not in archive.names:
            raise _damaged(path, f"{PHOTOS} is missing")
        head = _tensors(path, archive.member("head.safetensors", MAX_MEMBER_BYTES))
        try:
            card = archive.member("README.md", MAX_MANIFEST_BYTES).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _damaged(path, "README.md is not text") from error
    return manifest, head, card


def read_photos(path: Path) -> Tensors | None:
    """The arrays of the taught photos; None if the file holds none. Raises as `read`."""
    with _Archive(path) as archive:
        if PHOTOS not in archive.names:
            return None
        return _tensors(path, archive.member(PHOTOS, MAX_MEMBER_BYTES))


def read_network(path: Path) -> bytes:
    """The network's weights, a safetensors file. Raises as `read`, also if there are none."""
    with _Archive(path) as archive:
        return archive.member(NETWORK, MAX_MEMBER_BYTES)


class _Archive:
    """A zip file whose every fault is a ClassifierFileError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            expect_file(path)
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise ClassifierFileError(
                f"There is no file {path}. Make one with: eyespot teach PHOTOS -o {path.name}"
            ) from error
        except OSError as error:
            raise ClassifierFileError(f"{path} cannot be read: {error.strerror}.") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            if path.suffix == ".safetensors":
                raise ClassifierFileError(
                    f"{path} holds weights, and no classifier. What eyespot train has trained is "
                    f"in {path.with_name('classifier.eyespot')}"
                ) from error
            raise _damaged(path, "it is not a whole zip file") from error
        names = self._zip.namelist()
        self.names = set(names)
        if len(names) != len(self.names):  # programs differ in which of the two they read
            raise _damaged(path, "a member stands in it twice")

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, *exc: object) -> None:
        self._zip.close()

    def member(self, name: str, limit: int) -> bytes:
        """The content of a member of at most `limit` bytes."""
        if name not in self.names:
            raise _damaged(self.path, f"{name} is missing")
        size = self._zip.getinfo(name).file_size
        if size > limit:
            raise _damaged(self.path, f"{name} claims {size:,} bytes, at most {limit:,} are read")
        try:
            with self._zip.open(name) as file:
                return file.read(limit)
        except ZIP_FAULTS as error:
            raise _damaged(self.path, f"{name} cannot be unpacked ({error})") from error


def _tensors(path: Path, content: bytes) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"its arrays cannot be read ({error})") from error


def _contiguous(arrays: Tensors) -> Tensors:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _damaged(path: Path, why: str) -> ClassifierFileError:
    return ClassifierFileError(
        f"{path} is damaged or not an eyespot classifier: {why}. "
        "Teach it again, or restore it from a copy."
    )
