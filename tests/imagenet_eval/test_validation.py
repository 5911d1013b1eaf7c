"""Which pictures are found, with which class; everything that is left out is named."""

import tarfile
from pathlib import Path

import pytest

from eyespot.data.shards import expand
from eyespot.errors import EyespotError, PhotoError, UsageError
from eyespot.imagenet_eval.images import class_in, find_images
from tests.imagenet_eval.worlds import WNIDS, grey, write, write_shard


def found(source: str | Path) -> tuple[dict[str, int], dict[str, str]]:
    pictures, skipped = find_images(source)
    assert len({picture.name for picture in pictures}) == len(pictures)
    return {p.name: p.truth for p in pictures}, {s.path: s.reason for s in skipped}


def test_folders_named_by_wnid(tmp_path: Path) -> None:
    for number, wnid in enumerate(WNIDS):
        write(tmp_path / wnid / "a.JPEG", number)
    write(tmp_path / "n00000000" / "a.JPEG", 9)
    pictures, skipped = found(tmp_path)
    assert pictures == {f"{wnid}/a.JPEG": number for number, wnid in enumerate(WNIDS)}
    assert list(skipped) == ["n00000000/a.JPEG"]


def test_the_validation_set_by_its_names(tmp_path: Path) -> None:
    write(tmp_path / "val" / "ILSVRC2012_val_00015416.JPEG", 0)
    write(tmp_path / "val" / "ILSVRC2012_val_00000293.JPEG", 0)
    write(tmp_path / "val" / "ILSVRC2012_val_00050001.JPEG", 0)
    pictures, skipped = found(tmp_path)
    assert pictures == {
        "val/ILSVRC2012_val_00000293.JPEG": 0,  # a tench, as the challenge's own list has it
        "val/ILSVRC2012_val_00015416.JPEG": 13,
    }
    assert list(skipped) == ["val/ILSVRC2012_val_00050001.JPEG"]


def test_a_table_counts_each_picture_once_and_names_the_rest(tmp_path: Path) -> None:
    for name in "abcd":
        write(tmp_path / f"{name}.png", 1)
    rows = ["file,class_index", "a.png,7", "a.png,7", "b.png,1000", "c.png,n01484850", "no.png,1"]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    for source in (tmp_path, tmp_path / "labels.csv"):
        pictures, skipped = found(source)
        assert pictures == {"a.png": 7, "c.png": 2}
        assert set(skipped) == {"a.png", "b.png", "no.png", "d.png"}


@pytest.mark.parametrize(
    ("text", "index"),
    [("7\n", 7), ("007", 7), ("999", 999), ("1000", None), ("-1", None), ("", None), ("٣", None)],
)
def test_classes_are_numbers_or_wnids(text: str, index: int | None) -> None:
    assert class_in(text) == index
    assert class_in(WNIDS[3]) == 3


def test_braces() -> None:
    assert expand("a-{08..11}.tar") == ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]
    assert expand("{x,y}/{0..1}") == ["x/0", "x/1", "y/0", "y/1"]
    assert expand("a{b}.tar") == ["a{b}.tar"]
    with pytest.raises(UsageError, match="100,000"):
        expand("{0..999}/{0..999}.tar")


def test_shards(tmp_path: Path) -> None:
    first = [
        ("a.cls", b"1"),
        ("a.jpg", grey(1)),
        ("a.txt", b"?"),
        ("b.PNG", grey(2)),
        ("b.cls", b"2\n"),
    ]
    write_shard(tmp_path / "s-00.tar", [*first, ("c.jpg", grey(3)), ("d.cls", b"4")])
    second = [("a.cls", b"1"), ("a.jpg", grey(1)), ("b.png", grey(5)), ("b.cls", b"5")]
    bad = [("e.jpeg", grey(6)), ("e.cls", b"cat"), ("./n01440764/f.jpg", grey(7))]
    write_shard(tmp_path / "s-01.tar", [*second, *bad, ("b.jpg", grey(5))])
    for source in (tmp_path, f"{tmp_path}/s-{{00..01}}.tar", f"{tmp_path}/s-0{{0,1,0}}.tar"):
        pictures, skipped = found(source)
        truths = {name.removeprefix(f"{tmp_path}/"): truth for name, truth in pictures.items()}
        # a of the second shard is a copy; b is another picture that has the same number.
        assert truths == {
            "s-00.tar/a.jpg": 1,
            "s-00.tar/b.PNG": 2,
            "s-01.tar/b.png": 5,
            "s-01.tar/n01440764/f.jpg": 0,
        }
        named = {name.removeprefix(f"{tmp_path}/") for name in skipped}
        twice = {"s-00.tar"} if "0,1,0" in str(source) else set()
        left_out = {"s-00.tar/c.jpg", "s-00.tar/d.cls", "s-01.tar/a.jpg", "s-01.tar/e.jpeg"}
        assert named == left_out | {"s-01.tar/b.jpg"} | twice
    content = {p.name: p.source.read() for p in find_images(tmp_path)[0]}
    assert content[f"{tmp_path}/s-01.tar/b.png"] == grey(5)


def damaged(shard: Path, how: str) -> None:
    data = shard.read_bytes()
    with tarfile.open(shard) as archive:
        third = archive.getmembers()[4]
    if how == "cut in a picture":
        data = data[: third.offset_data + 20]
    elif how == "cut between":
        data = data[: third.offset]
    elif how == "header":
        data = data[: third.offset] + b"\x01" * 512 + data[third.offset_data :]
    else:
        data = b"this is no tar file" * 100 if how == "text" else b""
    shard.write_bytes(data)


@pytest.mark.parametrize("how", ["cut in a picture", "cut between", "header", "text", "empty"])
def test_of_a_damaged_shard_what_can_be_read_is_kept(tmp_path: Path, how: str) -> None:
    members = [m for n in range(4) for m in ((f"{n}.png", grey(n)), (f"{n}.cls", b"%d" % n))]
    write_shard(tmp_path / "good.tar", [("x.png", grey(9)), ("x.cls", b"9")])
    damaged(write_shard(tmp_path / "bad.tar", members), how)
    pictures, skipped = found(tmp_path)
    kept = {f"{tmp_path}/bad.tar/{n}.png": n for n in (range(2) if how[0] in "ch" else ())}
    assert pictures == kept | {f"{tmp_path}/good.tar/x.png": 9}
    assert "damaged" in skipped[f"{tmp_path}/bad.tar"]


def test_a_picture_that_is_cut_off_is_named(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "s.tar", [("a.cls", b"1"), ("a.png", grey(1))])
    with tarfile.open(shard) as archive:
        start = archive.getmembers()[1].offset_data
    shard.write_bytes(shard.read_bytes()[: start + 50])
    (picture,), skipped = find_images(shard)
    with pytest.raises(PhotoError, match="truncated"):
        picture.source.read()
    assert skipped


@pytest.mark.parametrize("name", ["", "no-such-folder", "no-such.tar", "no-{0..3}.tar", "file.txt"])
def test_no_pictures_is_bad_use_that_says_what_was_expected(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("text")
    with pytest.raises(UsageError, match="wnid"):
        find_images(f"{tmp_path}/{name}")


def test_a_table_without_a_usable_row_says_so(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,class_index\nno.png,1\n")
    with pytest.raises(EyespotError, match=r"no\.png"):
        find_images(tmp_path)
