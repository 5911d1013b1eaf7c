"""`eyespot explain dataset` as a person and a machine use it."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.data.rows import write_rows
from tests.pictures import write_folder


def explain(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["explain", "dataset", *map(str, arguments)])


def test_page_table_and_json_agree(tmp_path: Path) -> None:
    photos = write_folder(tmp_path / "photos", 8)
    (photos / "brick/=1+1.png").write_bytes((photos / "brick/0.png").read_bytes())
    (photos / "grass/broken.jpg").write_text("no picture")
    page = tmp_path / "pets.html"
    done = explain(photos, "-o", page, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["photos"] == 17
    assert found["classes"] == ["brick", "grass"]
    assert found["page"] == str(page)
    assert sorted(name for group in found["groups"] for name in group) == sorted(
        f"{path.parent.name}/{path.name}" for path in photos.glob("*/*.png")
    )
    with (tmp_path / "pets.actions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["action"] for row in rows] == [row["action"] for row in found["actions"]]
    assert {"fix file", "remove duplicate"} <= {row["action"] for row in rows}
    broken = next(row for row in rows if row["action"] == "fix file")
    assert broken["path"] == str(photos / "grass/broken.jpg")
    assert broken["label"] == ""
    assert "pets.actions.csv" in page.read_text()


def test_words_for_a_person(tmp_path: Path) -> None:
    photos = write_folder(tmp_path / "photos", 6, ("brick",)) / "brick"
    done = explain(photos, "-o", tmp_path / "p.html", "--csv", tmp_path / "todo.csv")
    assert done.exit_code == 0, done.output
    assert "6 photos in" in done.stdout
    assert str(tmp_path / "todo.csv") in done.stdout
    assert (tmp_path / "todo.csv").read_text().startswith("path,action,label,detail,score\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing",), 1, "Check the spelling"),
        (("photos.zip",), 1, "Unpack it first"),
        (("empty",), 1, "found none"),
        (("broken",), 1, "can be read"),
        (("photos.csv", "--csv", "photos.csv"), 2, "would overwrite"),
        (("photos.csv", "-o", "a.html", "--csv", "a.html"), 2, "ends in .csv"),
        (("photos.csv", "-o", "."), 2, "is a folder"),
        (("photos.csv", "-o", "photos.zip/a.html"), 2, "cannot be written"),
        (("photos.csv", "--backbone", "none"), 2, "no network called"),
    ],
)
def test_bad_use_is_answered_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos.zip").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/a.jpg").write_text("no picture")
    write_folder(tmp_path / "p", 1)
    (tmp_path / "photos.csv").write_text("path,label\np/brick/0.png,a\np/grass/0.png,b\n")
    table = (tmp_path / "photos.csv").read_text()
    done = explain(*arguments)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert done.stderr.startswith("eyespot: ")
    assert (tmp_path / "photos.csv").read_text() == table


def test_spreadsheets_run_nothing(tmp_path: Path) -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "", "a=1", -0.5, None]
    columns = [f"c{number}" for number in range(len(cells))]
    write_rows([dict(zip(columns, cells, strict=True))], columns, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        (_, written) = csv.reader(file)
    assert written == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\r=1", "", "a=1", "-0.5", ""]
