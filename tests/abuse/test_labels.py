"""Hostile labels and file names: they stay text, on the screen, in pages, tables and paths."""

import csv
import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.data.photos import label_of
from tests.abuse.commands import eyespot
from tests.pictures import patches

LABELS = (
    *("../../../evil", "/tmp/evil", "..", ".", "C:\\evil", "con", "a/b", "~", "%2e%2e%2f"),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</title></script><b>",
        "{{7*7}}",
    ),
    *("javascript:alert(1)", '" onload="alert(1)', "<!--", "]]>", "&lt;b&gt;", "__proto__"),
    *("\x1b[2J\x1b]0;owned\x07", "bell\x07", "back\x08\x08", "\x9b31m", "null\x01"),
    *("\u202egpj.exe", "\u2066left\u2069", "zero\u200bwidth", "new\u2028line", "two\nlines"),
    *("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("x")'),
    *("'; DROP TABLE photos;--", "$(touch pwned)", "`touch pwned`", "${HOME}", "%s%n%n", "a,b;c"),
    *("x" * 10_000, "é" * 5_000, "🦆", "NaN", "null", "true", "-1", "1e400"),
)
QUICKLY = ("--method", "prototypes", "--budget", 0)
FORMULA = tuple("=+-@\t\r\n")


class Page(HTMLParser):
    """Which elements and event handlers a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.handlers += [v for _, v in attrs if v and v.strip().startswith("javascript:")]


def write(folder: Path, labels: tuple[str, ...]) -> Path:
    """A table of two photos a label."""
    folder.mkdir()
    rows = []
    for number, patch in enumerate(patches("gravel", 2 * len(labels), side=48)):
        Image.fromarray(patch).save(folder / f"{number}.png")
        rows.append((f"{number}.png", labels[number % len(labels)]))
    with (folder / "photos.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table, quoting=csv.QUOTE_ALL).writerows([("path", "label"), *rows])
    return folder / "photos.csv"


def run(*arguments: object) -> Result:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (done.exception, done.stderr[:2000])
    return done


def is_harmless(text: str) -> bool:
    """Nothing in it could drive a terminal or turn the order of letters."""
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, in which nothing may appear but what was asked for."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


@pytest.mark.slow
def test_labels_stay_text(home: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "photos", LABELS)
    plain = write(tmp_path / "plain", tuple(f"label {n}" for n in range(len(LABELS))))
    said = run("teach", table, "-o", "m.eyespot", *QUICKLY).output
    assert is_harmless(said)
    run("teach", plain, "-o", "plain.eyespot", *QUICKLY)
    hostile, usual = (Page(Path(f"{n}.report.html").read_text("utf-8")) for n in ("m", "plain"))
    assert set(hostile.tags) <= set(usual.tags)
    assert hostile.tags.count("script") == usual.tags.count("script")
    assert hostile.handlers == usual.handlers

    photos = [tmp_path / "photos" / f"{n}.png" for n in range(len(LABELS))]
    assert is_harmless(run("predict", *photos, "-m", "m.eyespot").output)
    assert is_harmless(run("evaluate", table, "-m", "m.eyespot").output)
    run("predict", *photos, "-m", "m.eyespot", "--csv", "a.csv", "--parquet", "a.parquet")
    with Path("a.csv").open(encoding="utf-8", newline="") as answers:
        cells = [cell for row in csv.reader(answers) for cell in row]
    assert len(cells) == 7 * (len(LABELS) + 1)
    assert not [cell for cell in cells if cell.startswith(FORMULA)]
    answered = json.loads(run("predict", *photos, "-m", "m.eyespot", "--json").stdout)
    known = {top["label"] for answer in answered for top in answer["top"]}
    assert known <= {label_of(text) for label in LABELS for text in (label, label.strip())}
    made = {"m.eyespot", "m.report.html", "plain.eyespot", "plain.report.html", "a.csv"}
    assert {path.name for path in home.iterdir()} == {*made, "a.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == {"home", "photos", "plain"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_of_files_and_folders_stay_text(home: Path, tmp_path: Path) -> None:
    names = [name for name in LABELS if "/" not in name and len(os.fsencode(name)) < 200]
    names = [name for name in names if name not in (".", "..")]
    for number, patch in enumerate(patches("gravel", 2 * len(names), side=48)):
        name = names[number % len(names)]
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(patch).save(folder / f"{name}{number // len(names)}.png")
        (folder / f"{name}.png").write_bytes(b"broken")
    for arguments in (
        ("teach", tmp_path / "photos", "-o", "m.eyespot", "--budget", 0),
        ("predict", tmp_path / "photos", "-m", "m.eyespot"),
        ("predict", tmp_path / "photos", "-m", "m.eyespot", "--csv", "a.csv"),
        ("evaluate", tmp_path / "photos", "-m", "m.eyespot"),
        ("embed", tmp_path / "photos", "-o", "f.parquet"),
        ("train", tmp_path / "photos", "-o", "net", "--model", "lenet5", "--epochs", 1),
        ("evaluate", tmp_path / "photos", "-m", "net/classifier.eyespot"),
    ):
        done = eyespot(*arguments, folder=home)
        assert done.returncode == 0, (arguments, done.stderr[:2000])
        assert is_harmless(done.stdout + done.stderr), arguments
    for page in ("m.report.html", "net/report.html"):
        assert not [h for h in Page((home / page).read_text("utf-8")).handlers if "alert" in h]
    with (home / "a.csv").open(encoding="utf-8", newline="") as answers:
        assert not [c for row in csv.reader(answers) for c in row if c.startswith(FORMULA)]
    made = {"m.eyespot", "m.report.html", "a.csv", "f.parquet", "net"}
    assert {path.name for path in home.iterdir()} == made
    assert {path.name for path in tmp_path.iterdir()} == {"home", "photos"}
