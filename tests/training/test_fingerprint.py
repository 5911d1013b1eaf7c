"""A run is known by its photos: other ones, or the same divided otherwise, are told apart."""

from pathlib import Path

import numpy as np
import pytest

from eyespot.data.open import open_photos
from eyespot.data.photos import FileSource, MemorySource, Photo
from eyespot.training.fingerprint import fingerprint
from tests.imagenet_eval.worlds import write_shard


def photos(folder: Path) -> list[Photo]:
    folder.mkdir(exist_ok=True)
    for name in "ab":
        (folder / name).write_bytes(b"picture")
    return [Photo(name, FileSource(folder / name), f"class {name}") for name in "ab"]


def test_the_same_photos_elsewhere_are_the_same(tmp_path: Path) -> None:
    here, there = photos(tmp_path / "here"), photos(tmp_path / "there")
    assert fingerprint(here, []) == fingerprint(there, [])


def test_whatever_differs_shows(tmp_path: Path) -> None:
    first, second = photos(tmp_path)
    prints = [
        fingerprint([first, second], []),
        fingerprint([second, first], []),  # of the order follows that of the batches
        fingerprint([first], [second]),
        fingerprint([first], []),
        fingerprint([first, Photo("b", second.source, "class a")], []),
        fingerprint([first, Photo("c", second.source, "class b")], []),
    ]
    (tmp_path / "b").write_bytes(b"another")  # as many bytes: goes unnoticed
    assert fingerprint([first, second], []) == prints[0]
    (tmp_path / "b").write_bytes(b"some other")
    prints.append(fingerprint([first, second], []))
    (tmp_path / "b").unlink()
    prints.append(fingerprint([first, second], []))
    assert len(set(prints)) == len(prints)


@pytest.mark.parametrize("pixels", [np.zeros((2, 3), np.uint8), b"picture"])
def test_what_is_in_memory_counts_as_a_whole(pixels: np.ndarray | bytes) -> None:
    other = pixels[:-1] + b"!" if isinstance(pixels, bytes) else pixels + np.uint8(1)
    first, again, second = (
        fingerprint([Photo("a#0", MemorySource(data), "a")]) for data in (pixels, pixels, other)
    )
    assert first == again != second


def test_shards_may_move_and_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [(f"{n}.{end}", b"12") for n in range(4) for end in ("png", "cls")]
    prints = []
    for name, some in (("here", members), ("there", members), ("other", members[:4])):
        (tmp_path / name).mkdir()
        write_shard(tmp_path / name / "0.tar", some)
        dataset = open_photos(tmp_path / name, least_classes=1)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", None)
            prints.append(fingerprint(dataset.photos))
    assert prints[0] == prints[1] != prints[2]
