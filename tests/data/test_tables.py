import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eyespot.data.column import is_path
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, label_of
from eyespot.data.tables import MISSING, read_table
from eyespot.errors import DatasetError
from tests.data.files import save


def labels(dataset: Dataset) -> dict[str, str | None]:
    return {photo.name: photo.label for photo in dataset.photos}


def skipped(dataset: Dataset) -> dict[str, str]:
    return {one.path: one.reason for one in dataset.skipped}


def write(folder: Path, text: str | bytes, name: str = "photos.csv") -> Path:
    """A table beside the photos 1.png, 2.png and inner/3.png."""
    for photo in ("1.png", "2.png", "inner/3.png"):
        save(folder / photo)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder / name


def test_paths_are_relative_to_the_table(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, "path,label\n1.png,cat\ninner/3.png,dog\n"))
    assert labels(found) == {"1.png": "cat", "inner/3.png": "dog"}
    assert [photo.read() for photo in found.photos] == [
        (tmp_path / "1.png").read_bytes(),
        (tmp_path / "inner" / "3.png").read_bytes(),
    ]


def test_absolute_paths(tmp_path: Path) -> None:
    file = save(tmp_path / "elsewhere" / "9.png")
    assert labels(read_table(write(tmp_path, f"{file},cat\n"))) == {str(file): "cat"}


def test_windows_paths(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "inner\\3.png,cat\n")).photos[0].read()


@pytest.mark.parametrize(
    "text",
    [
        "path,label\n1.png,cat\n2.png,dog\n",
        "1.png,cat\n2.png,dog",
        "label,path\ncat,1.png\ndog,2.png\n",
        "cat,1.png\ndog,2.png\n",
        "path;label\n1.png;cat\n2.png;dog\n",
        "path\tlabel\n1.png\tcat\n2.png\tdog\n",
        "PATH,Label\r\n1.png,cat\r\n2.png,dog\r\n",
        "path,label\r1.png,cat\r2.png,dog\r",
        "\n\npath,label\n\n1.png,cat\n,\n2.png,dog\n\n",
        "path , label\n 1.png , cat \n 2.png , dog \n",
        '"path","label"\n"1.png","cat"\n"2.png","dog"\n',
        "width,file_name,height,species\n8,1.png,6,cat\n8,2.png,6,dog\n",
        "what,ever\n1.png,cat\n2.png,dog\n",
    ],
)
def test_separators_headers_and_the_order_are_guessed(tmp_path: Path, text: str) -> None:
    found = read_table(write(tmp_path, text))
    assert labels(found) == {"1.png": "cat", "2.png": "dog"}
    assert not found.skipped


def test_a_tsv_may_hold_commas(tmp_path: Path) -> None:
    table = write(tmp_path, "path\tlabel\n1.png\ta, b, c\n2.png\td\n", "photos.TSV")
    assert labels(read_table(table)) == {"1.png": "a, b, c", "2.png": "d"}


def test_quoted_separators_do_not_mislead_the_guess(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, '1.png,"a;b;c;d"\n2.png,e\n'))
    assert labels(found) == {"1.png": "a;b;c;d", "2.png": "e"}


def test_quoted_line_breaks_do_not_mislead_the_guess(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, '1.png,"a;b;\nc"\n2.png,e\n'))
    assert found.classes == (label_of("a;b;\nc"), "e")


@pytest.mark.parametrize(
    "label",
    ["a, b", 'the "best"', "it's", "both\\ways/up", "🐈‍⬛", "猫", "50 %", "=1+1", "#1", "0"],
)
def test_labels_of_any_kind(tmp_path: Path, label: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["path", "label"], ["1.png", label]])
    assert labels(read_table(write(tmp_path, text.getvalue()))) == {"1.png": label}


def test_line_breaks_in_labels_are_shown_as_escapes(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, 'path,label\n1.png,"two\nlines"\n2.png,b\n'))
    assert labels(found) == {"1.png": "two\\x0alines", "2.png": "b"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_spreadsheets_save(tmp_path: Path, encoding: str) -> None:
    save(tmp_path / "müll.png")
    table = write(tmp_path, "path,label\nmüll.png,Käfer\n".encode(encoding))
    assert labels(read_table(table)) == {"müll.png": "Käfer"}


def test_a_byte_order_mark_is_no_part_of_a_path(tmp_path: Path) -> None:
    assert labels(read_table(write(tmp_path, "1.png,cat\n".encode("utf-8-sig")))) == {
        "1.png": "cat"
    }


def test_splits_and_groups(tmp_path: Path) -> None:
    text = "path,label,split,group\n1.png,cat,Train,x\n2.png,cat,validation,\ninner/3.png,b,,x"
    found = read_table(write(tmp_path, text))
    assert [photo.split for photo in found.photos] == ["train", "val", None]
    assert [photo.group for photo in found.photos] == ["x", None, "x"]
    assert found.classes == ("b", "cat")


def test_a_misspelt_split_is_not_learnt_from(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, "path,label,split\n1.png,cat,train\n2.png,dog,tset\n"))
    assert [photo.name for photo in found.photos] == ["1.png"]
    assert [(s.path, "'tset'" in s.reason) for s in found.skipped] == [("2.png", True)]


@pytest.mark.parametrize(
    ("row", "name", "reason"),
    [
        ("gone.png,cat", "gone.png", "there is no such file"),
        ("https://x.org/1.png,cat", "https://x.org/1.png", "web address: download it first"),
        ("2.png,", "2.png", "has no label"),
        ("2.png", "2.png", "has no label"),
        (",cat", "photos.csv row 3", "no path (row 3 of the table)"),
        ("1.png,cat", "1.png", "is listed again in row 3"),
        ("1.png,dog", "1.png", "listed again in row 3, with the label 'dog'"),
        ("a\0b.png,cat", "a\\x00b.png", "there is no such file"),
        ("x" * 5000 + ".png,cat", "x" * 5000 + ".png", "there is no such file"),
    ],
)
def test_rows_that_cannot_be_used_are_named(
    tmp_path: Path, row: str, name: str, reason: str
) -> None:
    found = read_table(write(tmp_path, f"path,label\n1.png,cat\n{row}\n"))
    assert labels(found) == {"1.png": "cat"}
    assert list(skipped(found)) == [name]
    assert reason in skipped(found)[name]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"columns path and label in .*photos\.csv, found nothing.*Write one line per photo"),
        ("path\n1.png\n", r"columns path and label .*found 'path' in its first line"),
        ("1.png\n2.png\n", r"columns path and label .*found '1\.png'"),
        ("path,split\n1.png,train\n", r"one column of labels in photos\.csv, found no candidate"),
        ("path,label\n", r"photos\.csv has a header, but no row with a photo"),
        ("path,label\ngone.png,cat\n", r"None of the 1 photos .*gone\.png: there is no such file"),
        ("path,label\n1.png," + "x" * 200_000, r"not a table .*field limit"),
    ],
)
def test_tables_that_cannot_be_understood(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        read_table(write(tmp_path, text))


def test_where_paths_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        read_table(write(tmp_path, "path,label\ngone.png,cat\n"))
    assert f"Paths are relative to {tmp_path}." in str(caught.value)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.csv cannot be read: No such file"):
        read_table(tmp_path / "gone.csv")


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    table = write(tmp_path, "path,label\n1.png,cat\n2.png,cat\n")
    with pytest.raises(DatasetError, match="at least 2 classes, found 'cat'"):
        open_photos(table)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tables"), "")


@given(
    label=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    delimiter=st.sampled_from(",;\t"),
    header=st.booleans(),
)
@example("a\nb,,,;;;\t\t\t", ",", False)
@example("a\rb", ";", False)
@example('"', "\t", True)
def test_every_label_survives_its_way_through_a_table(
    table: Path, label: str, delimiter: str, header: bool
) -> None:
    """Without a header and quotes, the separator may be anybody's guess."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    if header:
        writer = csv.writer(text, delimiter=delimiter)
        writer.writerow(["path", "label"])
    writer.writerows([["1.png", label], ["2.png", "other"]])
    table.write_bytes(text.getvalue().encode())
    expected = {"1.png": label_of(label.strip()), "2.png": "other"}
    try:
        found = labels(read_table(table))
    except DatasetError:  # as with a label that is the name of a photo
        assert not header or is_path(label)
        return
    assert found == {
        name: label for name, label in expected.items() if label.casefold() not in MISSING
    }


@given(
    st.binary()
    | st.text(st.sampled_from('1.pngpath,;\t"\r\n label\0')).map(str.encode)
    | st.text().map(lambda text: text.encode("utf-16", "surrogatepass"))
)
@example(b"\xff\xfe\0")
@example(b"\xef\xbb\xbf")
@example(b'"')
def test_bytes_of_any_kind_are_read_or_refused(table: Path, data: bytes) -> None:
    table.write_bytes(data)
    try:
        found = read_table(table)
    except DatasetError:
        return
    assert found.photos
    assert all(photo.label for photo in found.photos)
