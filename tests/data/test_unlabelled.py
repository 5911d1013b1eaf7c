"""Photos to look at, from whatever holds them: each once, none missing."""

import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from eyespot.data.unlabelled import find_unlabelled
from eyespot.errors import DatasetError, PhotoError


def png(colour: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (colour, 0, 0)).save(file, "PNG")
    return file.getvalue()


def write_shard(path: Path, names: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for number, name in enumerate(names):
            member = tarfile.TarInfo(name)
            member.size = len(png(number))
            shard.addfile(member, io.BytesIO(png(number)))
    return path


def write_table(path: Path, count: int, group: int = 2) -> Path:
    rows = [{"bytes": png(n), "path": None} for n in range(count)]
    pq.write_table(pa.table({"image": rows}), path, row_group_size=group)
    return path


def names(source: object, root: Path) -> list[str]:
    found = find_unlabelled(source)  # type: ignore[arg-type]
    return [photo.name.removeprefix(f"{root}/") for photo in found.photos]


def test_shards_by_braces_and_by_their_folder(tmp_path: Path) -> None:
    for number in (0, 1):
        write_shard(tmp_path / f"s-{number}.tar", ["a.jpg", "a.cls", "b.png", "notes.txt"])
    expected = [f"s-{n}.tar/{name}" for n in (0, 1) for name in ("a.jpg", "b.png")]
    assert names(str(tmp_path / "s-{0..1}.tar"), tmp_path) == expected
    assert names([tmp_path / "s-0.tar", tmp_path / "s-1.tar"], tmp_path) == expected
    assert names(tmp_path, tmp_path) == expected
    assert names([tmp_path, tmp_path / "s-1.tar"], tmp_path) == expected  # each once
    found = find_unlabelled(tmp_path / "s-1.tar").photos
    assert [photo.read() for photo in found] == [png(0), png(2)]


def test_members_of_one_name_are_all_there(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "s.tar", ["a.jpg", "b.jpg", "a.jpg", "b.jpg", "a.jpg", "a.png"])
    expected = ["a.jpg", "b.jpg", "a.jpg (2)", "b.jpg (2)", "a.jpg (3)", "a.png"]
    assert names(shard, tmp_path) == [f"s.tar/{name}" for name in expected]
    assert [photo.read() for photo in find_unlabelled(shard).photos] == [png(n) for n in range(6)]


def test_a_damaged_shard_in_the_middle_is_a_photo_that_cannot_be_read(tmp_path: Path) -> None:
    for number in range(3):
        write_shard(tmp_path / f"s-{number}.tar", ["a.jpg", "b.jpg"])
    whole = (tmp_path / "s-1.tar").read_bytes()
    (tmp_path / "s-1.tar").write_bytes(whole[:1024] + b"x" * 600)
    found = find_unlabelled(str(tmp_path / "s-{0..3}.tar")).photos
    assert [Path(photo.name).relative_to(tmp_path).as_posix() for photo in found] == [
        *("s-0.tar/a.jpg", "s-0.tar/b.jpg", "s-1.tar/a.jpg", "s-1.tar"),
        *("s-2.tar/a.jpg", "s-2.tar/b.jpg", "s-3.tar"),
    ]
    with pytest.raises(PhotoError, match="damaged"):
        found[3].read()
    with pytest.raises(PhotoError, match="No such file"):
        found[6].read()


def test_rows_of_parquet_files(tmp_path: Path) -> None:
    write_table(tmp_path / "x.parquet", 5)
    assert names(tmp_path / "x.parquet", tmp_path) == [f"x.parquet#{n}" for n in range(5)]
    assert names(tmp_path, tmp_path) == [f"x.parquet#{n}" for n in range(5)]
    found = find_unlabelled(tmp_path / "*.parquet").photos
    assert [photo.read() for photo in found] == [png(n) for n in range(5)]


def test_a_parquet_file_beside_photos_is_not_looked_into(tmp_path: Path) -> None:
    write_table(tmp_path / "features.parquet", 2)
    (tmp_path / "album").mkdir()
    (tmp_path / "album/1.png").write_bytes(png())
    assert names(tmp_path, tmp_path) == ["album/1.png"]


def test_a_list_of_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.txt").write_text("a.png\r\nsub/b.png\n\n/nowhere/c.png\na.png\n")
    (tmp_path / "a.png").write_bytes(png())
    found = find_unlabelled(tmp_path / "new.txt").photos
    assert [photo.name for photo in found] == [
        f"{tmp_path}/a.png", f"{tmp_path}/sub/b.png", "/nowhere/c.png",
    ]  # fmt: skip
    assert found[0].read() == png()
    monkeypatch.chdir(tmp_path)
    assert find_unlabelled("new.txt").photos[0].name == "a.png"
    assert len(find_unlabelled(["a.png", "new.txt"]).photos) == 3  # each once


def test_a_image_called_txt_is_a_image(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(png(3))
    assert find_unlabelled(tmp_path / "a.txt").photos[0].read() == png(3)


def test_names_keep_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(png())
    write_shard(tmp_path / "s.tar", ["a.jpg"])
    given = [tmp_path / "2.png", tmp_path / "s.tar", tmp_path / "1.png"]
    assert names(given, tmp_path) == ["2.png", "s.tar/a.jpg", "1.png"]


def test_where_there_is_no_photo_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_text("no tar")
    with pytest.raises(DatasetError, match=r"found none \(.*bad\.tar: damaged"):
        find_unlabelled(tmp_path / "bad.tar")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DatasetError, match=r"no image column; its columns are x"):
        find_unlabelled(tmp_path / "x.parquet")
    (tmp_path / "empty.txt").touch()
    with pytest.raises(DatasetError, match="found none"):
        find_unlabelled(tmp_path / "empty.txt")
    with pytest.raises(DatasetError, match="no file"):
        find_unlabelled(tmp_path / "nowhere.jpg")
    with pytest.raises(DatasetError, match="found none"):
        find_unlabelled([])


LINES = 'a.png\n\n# two of three\nsub\\b.png  \n"caf\u00e9.png"\nsub/d.png;cat\nsub/c;d.png\n'


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_in_any_encoding(tmp_path: Path, encoding: str, end: str) -> None:
    wanted = ["a.png", "sub/b.png", "cafe\u0301.png", "sub/d.png", "sub/c;d.png"]
    (tmp_path / "sub").mkdir()
    for name in wanted:
        (tmp_path / name).write_bytes(png())
    (tmp_path / "list.txt").write_bytes(LINES.replace("\n", end).encode(encoding))
    found = find_unlabelled(tmp_path / "list.txt").photos
    assert [photo.name.removeprefix(f"{tmp_path}/") for photo in found] == wanted
    assert all(photo.read() for photo in found)


def test_names_that_are_not_unicode_in_a_list(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(png())
    except OSError:
        pytest.skip("names are unicode here")
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.png\n")
    assert find_unlabelled(tmp_path / "list.txt").photos[0].read() == png()


def test_case_lists_of_windows(shared_cases: Path) -> None:
    for name in ("utf16", "backslashes"):
        found = find_unlabelled(shared_cases / "list-of-windows" / f"{name}.txt").photos
        assert found
        assert all(photo.read() for photo in found)


def test_what_is_passed_over_in_a_folder_is_counted(tmp_path: Path) -> None:
    for name in ("1.png", "@eaDir/1.png/S.jpg", "thumbs/1.png", ".thumbnails/1.png", "._1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(png())
    found = find_unlabelled(tmp_path)
    assert [photo.name for photo in found.photos] == [f"{tmp_path}/1.png"]
    (told,) = found.findings
    assert told.message.startswith("Excluded 4 files: ")
