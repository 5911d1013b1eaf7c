"""Which images WebDataset shards hold, of which class; everything that is left out is named."""

import json
import tarfile
from pathlib import Path

import pytest

from eyespot.data.open import open_photos
from eyespot.errors import DatasetError
from tests.imagenet_eval.worlds import grey, write_shard


def pair(key: str, label: object, value: int = 9) -> list[tuple[str, bytes]]:
    """A image, and its label in .cls, or in .json if that is no text."""
    if isinstance(label, str):
        return [(f"{key}.cls", label.encode()), (f"{key}.png", grey(value))]
    return [(f"{key}.png", grey(value)), (f"{key}.json", json.dumps(label).encode())]


def found(source: str | Path, root: Path) -> tuple[dict[str, str], dict[str, str]]:
    dataset = open_photos(source)
    labels = {p.name.removeprefix(f"{root}/"): p.label or "" for p in dataset.photos}
    return labels, {s.path.removeprefix(f"{root}/"): s.reason for s in dataset.skipped}


def test_labels_from_cls_and_json(tmp_path: Path) -> None:
    texts = [*pair("a", "cat\n"), *pair("b", "7"), *pair("sub/a", "ünd")]
    write_shard(tmp_path / "s-0.tar", [*texts, ("readme.txt", b"?"), *pair("a", "dog")])
    objects = [*pair("a", {"label": "cat"}), *pair("b", {"width": 3, "cls": 7})]
    bad = [*pair("c", {"width": 3}), *pair("d", [1]), *pair("e", "x" * 2000), *pair("f", " ")]
    write_shard(tmp_path / "s-1.tar", [*objects, *bad, ("g.png", grey(1)), ("h.json", b"{")])
    labels, skipped = found(tmp_path, tmp_path)
    assert labels == {
        "s-0.tar/a.png": "cat",
        "s-0.tar/b.png": "7",
        "s-0.tar/sub/a.png": "ünd",
        "s-1.tar/a.png": "cat",
        "s-1.tar/b.png": "7",
    }
    assert set(skipped) == {"s-0.tar/a.png", *(f"s-1.tar/{key}.png" for key in "cdefg")}


def test_splits_from_folders_and_from_names(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for number in range(2):
            folder = tmp_path / "folders" / split
            folder.mkdir(parents=True, exist_ok=True)
            members = [*pair("a", "cat"), *pair("b", "dog")]
            write_shard(folder / f"{number}.tar", members)
            write_shard(tmp_path / f"pets-{split}-{number}.tar", members)
    patterns = (f"{tmp_path}/pets-{{train,val}}-{{0..1}}.tar", f"{tmp_path}/pets-*.tar")
    for source in (tmp_path / "folders", *patterns):
        splits = [photo.split for photo in open_photos(source).photos]
        assert splits == ["train"] * 4 + ["val"] * 4


def test_an_unreadable_shard_in_the_middle_is_skipped(tmp_path: Path) -> None:
    for number in range(3):
        write_shard(tmp_path / f"{number}.tar", [*pair("a", "cat"), *pair("b", "dog")])
    middle = tmp_path / "1.tar"
    middle.write_bytes(b"this is no tar file" * 100)
    labels, skipped = found(tmp_path, tmp_path)
    assert list(labels) == ["0.tar/a.png", "0.tar/b.png", "2.tar/a.png", "2.tar/b.png"]
    assert list(skipped) == ["1.tar"]
    assert "0 labelled photos before it" in skipped["1.tar"]
    middle.unlink()
    for pattern, missing in (("{0..3}", r"2 of 4 .*1\.tar"), ("{0,1}", "1 of 2"), ("9", "1 of 1")):
        with pytest.raises(DatasetError, match=f"every shard .*; {missing}"):
            open_photos(f"{tmp_path}/{pattern}.tar")
    assert len(open_photos(f"{tmp_path}/*.tar").photos) == 4


def test_of_a_shard_that_is_cut_off_what_comes_before_is_kept(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "s.tar", [*pair("a", "cat"), *pair("b", "dog"), *pair("c", "?")])
    with tarfile.open(shard) as archive:
        end = archive.getmembers()[5].offset_data
    shard.write_bytes(shard.read_bytes()[:end])
    labels, skipped = found(shard, tmp_path)
    assert labels == {"s.tar/a.png": "cat", "s.tar/b.png": "dog", "s.tar/c.png": "?"}
    assert "damaged" in skipped["s.tar"]
    assert "3 labelled photos before it" in skipped["s.tar"]


def test_class_folders_beside_an_archive_are_class_folders(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "1.png").write_bytes(grey(1))
        write_shard(tmp_path / split / "old.tar", pair("a", "cat"))
    assert all(".tar" not in photo.name for photo in open_photos(tmp_path).photos)


def test_an_archive_without_classes_says_what_was_expected(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "photos.tar", [("cat/1.png", grey(1)), ("dog/1.png", grey(2))])
    with pytest.raises(DatasetError, match=r"KEY\.cls.*unpack it first"):
        open_photos(shard)
