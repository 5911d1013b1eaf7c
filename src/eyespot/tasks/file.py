"""The file format NAME.eyespot: a zip of JSON, safetensors and Markdown, and nothing executable.

| member               | what it holds                                                     |
|----------------------|-------------------------------------------------------------------|
| manifest.json        | format, version, task, classes, backbone, head, metrics           |
| head.safetensors     | the head's arrays, the OOD references, large metrics               |
| photos.safetensors   | optional: features, hashes, labels, thumbnails of training photos  |
| network.safetensors  | optional: the network, where its weights are the classifier's own |
| README.md            | the model card                                                    |

Unknown members are ignored; another format version raises an error. All members are stored
uncompressed, so that no file claims more memory than it has bytes.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.atomic import atomic_writer
from eyespot.data.formats import ZIP_FAULTS, zip_member
from eyespot.errors import ClassifierFileError
from eyespot.files import expect_file
from eyespot.limits import MAX_MANIFEST_BYTES, MAX_MANIFEST_LISTS, MAX_MEMBER_BYTES
from eyespot.shown import shown

FORMAT = "eyespot-classifier"
FORMAT_VERSION = 2
HEAD = "head.safetensors"
PHOTOS = "photos.safetensors"
NETWORK = "network.safetensors"

Tensors = dict[str, NDArray[Any]]


def write(
    path: Path,
    manifest: Mapping[str, Any],
    arrays: Tensors,
    photos: Tensors | None,
    card: str,
    network: bytes | None = None,
) -> None:
    """Write atomically: a kill, or a full disk, leaves the earlier file.

    `arrays`: of the head and the metrics. `network`: its weights, a safetensors file.

    Raises ClassifierFileError if writing fails, or a member is too large to be read again.
    """
    whole = {"format": FORMAT, "format_version": FORMAT_VERSION, **manifest}
    whole["has_photos"] = photos is not None
    # Escaped, because a name in an old encoding has characters that UTF-8 cannot hold.
    texts = {
        "manifest.json": json.dumps(whole).encode(),
        "README.md": card.encode(errors="replace"),
    }
    if not _can_be_parsed(texts["manifest.json"]):
        raise _too_large(path, "manifest.json", f"{MAX_MANIFEST_LISTS:,} lists")
    try:
        # The earlier file stays until all is written, also if a member is too large.
        with atomic_writer(path) as file, zipfile.ZipFile(file, "w") as archive:

            def add(name: str, content: bytes) -> None:
                if len(content) > _limit(name):
                    raise _too_large(path, name, f"{_limit(name):,} bytes")
                archive.writestr(zip_member(name), content)

            for name, text in texts.items():
                add(name, text)
            add(HEAD, _packed(arrays))
            if photos is not None:
                add(PHOTOS, _packed(photos))
            if network is not None:
                add(NETWORK, network)
    except OSError as error:
        raise ClassifierFileError(
            f"{path} cannot be written: {error.strerror or error}. The earlier file is unchanged."
        ) from error


def _packed(arrays: Tensors) -> bytes:
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _is_arrays(name: str) -> bool:
    return name.endswith(".safetensors")


def _limit(name: str) -> int:
    """Bytes of a member, when it is written and when it is read."""
    return MAX_MEMBER_BYTES if _is_arrays(name) else MAX_MANIFEST_BYTES


def _too_large(path: Path, name: str, most: str) -> ClassifierFileError:
    return ClassifierFileError(
        f"{path} cannot be written: {name} would have more than {most}, too large to be read "
        "again. Teach fewer classes or photos, or forget the photos (--forget-photos). The earlier "
        "file is unchanged."
    )


def _can_be_parsed(text: bytes) -> bool:
    """Whether a JSON has at most MAX_MANIFEST_LISTS lists and objects; brackets within names count,
    too."""
    return text.count(b"[") + text.count(b"{") <= MAX_MANIFEST_LISTS


def read(path: Path) -> tuple[dict[str, Any], Tensors, str]:
    """Manifest, arrays of the head and the metrics, and model card.

    Raises ClassifierFileError if the file is missing, damaged, foreign, or of another version.
    """
    with _opened(path) as archive:
        manifest = _manifest(path, archive)
        if manifest.get("has_photos") and PHOTOS not in archive.namelist():
            raise damaged(path, f"{PHOTOS} is missing")
        arrays = _tensors(path, _member(path, archive, HEAD))
        try:
            card = _member(path, archive, "README.md").decode("utf-8")
        except UnicodeDecodeError as error:
            raise damaged(path, "README.md is not text") from error
    return manifest, arrays, card


def task_of(path: Path) -> object:
    """The task that the manifest names. Raises as `read`."""
    with _opened(path) as archive:
        return _manifest(path, archive).get("task")


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    text = _member(path, archive, "manifest.json")
    if not _can_be_parsed(text):
        raise damaged(path, f"manifest.json has more than {MAX_MANIFEST_LISTS:,} lists")
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"manifest.json is not JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ClassifierFileError(
            f"{path} is a zip file, but not an eyespot classifier. Make one with: "
            "eyespot teach PHOTOS -o NAME.eyespot"
        )
    version = manifest.get("format_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise damaged(path, f"its format version is {shown(version)}")
    if version != FORMAT_VERSION:
        older, how = "", "Upgrade it with: pip install --upgrade eyespot"
        if version < FORMAT_VERSION:
            older, how = "the older ", f"Teach it again with: eyespot teach PHOTOS -o {path.name}"
        raise ClassifierFileError(
            f"{path} has {older}format version {shown(version)}, this eyespot reads version "
            f"{FORMAT_VERSION}. {how}"
        )
    return manifest


def read_photos(path: Path) -> Tensors | None:
    """The arrays of the training photos; None if the file holds none. Raises as `read`."""
    with _opened(path) as archive:
        if PHOTOS not in archive.namelist():
            return None
        return _tensors(path, _member(path, archive, PHOTOS))


def read_network(path: Path) -> bytes:
    """The network's weights, a safetensors file. Raises as `read`, also if there are none."""
    with _opened(path) as archive:
        return _member(path, archive, NETWORK)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The zip file, whose every fault is a ClassifierFileError."""
    try:
        expect_file(path)
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise ClassifierFileError(
            f"Expected the file {path}, found none. Make one with: "
            f"eyespot teach PHOTOS -o {path.name}"
        ) from error
    except OSError as error:
        raise ClassifierFileError(f"{path} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise damaged(path, "it is not a complete zip file") from error
    with archive:
        names = archive.namelist()
        if len(names) != len(set(names)):  # programs differ in which of the two they read
            raise damaged(path, "it has a member twice")
        yield archive


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a member, in no more memory than its bytes in the file."""
    if name not in archive.namelist():
        raise damaged(path, f"{name} is missing")
    about, limit = archive.getinfo(name), _limit(name)
    if about.file_size > limit:
        claimed = f"{name} claims {about.file_size:,} bytes"
        raise damaged(path, f"{claimed}, at most {limit:,} are read")
    if _is_arrays(name) and about.compress_type != zipfile.ZIP_STORED:
        raise damaged(path, f"{name} is compressed, and eyespot stores it as it is")
    if _is_arrays(name) and about.file_size > archive.start_dir:
        raise damaged(path, f"{name} claims more bytes than the file has")
    try:
        with archive.open(name) as file:
            return file.read(limit)
    except ZIP_FAULTS as error:
        raise damaged(path, f"{name} cannot be unpacked ({error})") from error


def _tensors(path: Path, content: bytes) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, f"its arrays cannot be read ({error})") from error


def damaged(path: Path, why: str) -> ClassifierFileError:
    return ClassifierFileError(
        f"{path} is damaged or not an eyespot classifier: {why}. "
        "Teach it again, or restore it from a copy."
    )
