"""What bears a file's name and is none: nothing waits for it, nothing reads without end."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eyespot.cli.serve import _keys
from eyespot.data.idx import read_array
from eyespot.data.open import open_photos
from eyespot.data.parquet import image_column
from eyespot.data.photos import FileSource
from eyespot.data.shards import read_shards, shards_named
from eyespot.data.text import read_list, read_names
from eyespot.data.unlabelled import find_unlabelled
from eyespot.errors import EyespotError
from eyespot.files import is_file, open_file, read_file
from eyespot.tasks.file import read
from eyespot.training.checkpoint import read_checkpoint as read_state
from eyespot.training.log import read_log
from eyespot.weights.checkpoints import read_checkpoint
from eyespot.weights.store import read_metadata
from tests.pictures import write_folder

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def endless(path: Path) -> None:
    """A file that says it has no bytes, and to read which may wait."""
    if not os.access("/proc/self/status", os.R_OK):
        pytest.skip("there is no /proc")
    path.symlink_to("/proc/kmsg" if os.access("/proc/kmsg", os.R_OK) else "/proc/self/status")


OTHERS = (pipe, device, folder, unix_socket, endless)

READERS: dict[str, Callable[[Path], Any]] = {
    "1.jpg": lambda path: FileSource(path).read() or 1 / 0,
    "t.csv": open_photos,
    "t.json": open_photos,
    "t.parquet": open_photos,
    "u.parquet": image_column,
    "train-images-idx3-ubyte": read_array,
    "s.tar": lambda path: read_shards(shards_named(str(path))),
    "photos.txt": lambda path: list(read_list(path)) or 1 / 0,
    "c.eyespot": read,
    "w.safetensors": read_metadata,
    "w.pth": read_checkpoint,
    "last.safetensors": read_state,
    "keys": _keys,
}
NOTHING = (ZeroDivisionError,)
"""Read as a file of no bytes."""


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("make", OTHERS)
def test_every_reader_refuses_it(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises((EyespotError, *NOTHING)) as raised:
        READERS[name](path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("make", OTHERS)
def test_what_lies_beside_is_passed_over(make: Callable[[Path], None], tmp_path: Path) -> None:
    photos = write_folder(tmp_path / "photos", 2)
    names = ("x.parquet", "metadata.csv", "images-idx3-ubyte", "x.tar", "noending", "x.txt")
    for place in (photos, photos / "brick"):
        for name in names:
            if not (make is folder and place == photos):
                make(place / name) if make is not endless else None
    if make is endless:
        make(photos / "brick" / "noending")
    make(photos / "brick" / "0.jpg")
    found = open_photos(photos)
    assert found.classes == ("brick", "grass")
    usable = [photo for photo in found.photos if photo.name != "brick/0.jpg"]
    assert len(usable) == 4
    assert len(find_unlabelled([photos]).photos) >= 4


@pytest.mark.parametrize("make", OTHERS)
def test_optional_files_are_taken_as_missing(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "names.json")
    make(tmp_path / "log.jsonl")
    assert read_names(tmp_path / "names.json") is None
    assert read_log(tmp_path / "log.jsonl") == [] or make is endless


def test_a_file_is_read_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert is_file(path)
    assert read_file(path, 3) == b"1234"
    with open_file(path) as file:
        assert file.read() == b"12345"
    assert not is_file(tmp_path / "none")
    assert not is_file(tmp_path / "a\0")
