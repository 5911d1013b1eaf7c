import importlib
import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.cli.outputs import check_ending, check_outputs, check_table
from eyespot.errors import UsageError
from eyespot.features.table import COLUMNS as FEATURES
from eyespot.tasks.classification.prediction import Prediction
from tests.pictures import write_folder


def test_what_can_be_written_is_let_through(tmp_path: Path) -> None:
    check_outputs([None, tmp_path / "new" / "a.csv", tmp_path / "b.csv", Path(os.devnull)])


def test_nothing_is_written_over_what_is_read_or_written(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"photo")
    with pytest.raises(UsageError, match=r"overwrite .*a\.jpg"):
        check_outputs([tmp_path / "." / "a.jpg"], [photo])
    with pytest.raises(UsageError, match="overwrite"):
        check_outputs([tmp_path / "x", tmp_path / "x"])


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        check_outputs([tmp_path])
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file is a file, not a folder\. Choose another"):
        check_outputs([tmp_path / "file" / "a.csv"])


def test_a_folder_of_others_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write anywhere
    with pytest.raises(UsageError, match=rf"{tmp_path} is a folder without write permission"):
        check_outputs([tmp_path / "new" / "a.csv"])


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_a_folder_that_refuses_all_the_same_is_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"/proc is a folder that accepts no new file \(No such"):
        check_outputs([Path("/proc/nothing/a.csv")])


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python then replaces the link")
def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    link = tmp_path / "a.csv"
    link.symlink_to(link)
    with pytest.raises(UsageError, match="link to itself"):
        check_outputs([link])
    with pytest.raises(UsageError, match="link to itself"):
        check_ending(link, ".csv")


def test_results_end_as_what_they_are(tmp_path: Path) -> None:
    for path in (None, Path(os.devnull), tmp_path, tmp_path / "a.HTM", tmp_path / "b.html"):
        check_ending(path, ".html", ".htm")
    (tmp_path / "link.html").symlink_to(tmp_path / "photo.jpg")
    for name in ("a", "a.jpg", "link.html"):
        with pytest.raises(UsageError, match=rf"ends in \.html or \.htm, not .*{name}"):
            check_ending(tmp_path / name, ".html", ".htm")


def test_a_table_of_another_kind_is_left_as_it_is(tmp_path: Path) -> None:
    parquet, text = tmp_path / "a.parquet", tmp_path / "a.csv"
    for path in (None, parquet):
        check_table(path, ("path", "label"))
    pq.write_table(pa.table({"path": ["a"], "label": ["b"], "more": [1]}), parquet)
    text.write_text("path,label\r\na,b\r\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    for path in tmp_path.iterdir():
        check_table(path, ("path", "label"))
    for path in (parquet, text):
        with pytest.raises(UsageError, match=r"another kind.* columns are path, label"):
            check_table(path, ("path", "sha256"))


REFUSED = [
    ("explain dataset photos -o photos/grass/0.png", "ends in .html or .htm"),
    ("explain dataset photos --csv photos/grass/0.png", "ends in .csv"),
    ("explain dataset photos -o pets.eyespot", "ends in .html"),
    ("explain dataset photos --csv answers.csv", "another kind"),
    ("explain dataset odd.csv -o photos/grass/odd.html", "would overwrite photos/grass/odd.html"),
    ("teach photos -o photos/grass/0.png", "ends in .eyespot"),
    ("teach photos -o pets.txt", "ends in .eyespot"),
    ("teach photos -o new.eyespot --report photos/grass/0.png", "ends in .html"),
    ("teach odd.csv -o new.eyespot --report photos/grass/odd.html", "grass/odd.html. Choose"),
    ("embed photos -o photos/grass/0.png", "ends in .parquet"),
    ("embed photos -o answers.parquet", "another kind"),
    ("predict photos --csv photos/grass/0.png", "ends in .csv"),
    ("predict photos --csv odd.csv", "another kind"),
    ("predict photos --parquet answers.csv", "ends in .parquet"),
    ("predict photos --parquet features.parquet", "another kind"),
    ("evaluate --imagenet photos --gallery photos/grass/0.png", "ends in .html"),
]


@pytest.mark.parametrize(("line", "words"), REFUSED)
def test_photos_classifiers_and_other_tables_are_kept(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo = write_folder(Path("photos"), 2) / "grass/0.png"
    Path("photos/grass/odd.html").write_bytes(photo.read_bytes())
    Path("odd.csv").write_text("path,label\nphotos/grass/odd.html,a\nphotos/grass/0.png,b\n")
    Path("pets.eyespot").write_text("a classifier")
    Path("answers.csv").write_text(",".join(Prediction.COLUMNS))
    pq.write_table(pa.table({name: ["x"] for name in Prediction.COLUMNS}), "answers.parquet")
    pq.write_table(pa.table({name: ["x"] for name in FEATURES}), "features.parquet")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


@pytest.mark.parametrize(("more", "kept"), [(["--csv", "a.csv"], True), (["--json"], False)])
def test_an_interrupted_prediction_says_what_is_kept(
    more: list[str], kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(model: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("eyespot.tasks.task.load", interrupted)
    done = CliRunner().invoke(app, ["predict", "photo.jpg", *more])
    assert done.exit_code == 130
    assert ("the same command resumes" in done.stderr) is kept


LONG = "x" * 300
OUTPUTS = (
    ["teach", "PHOTOS", "-o", f"{LONG}.eyespot"],
    ["teach", "PHOTOS", "-o", f"{'x' * 244}.eyespot"],  # its report would not fit
    ["teach", "PHOTOS", "-o", "a.eyespot", "--report", f"{LONG}.html"],
    ["teach", "PHOTOS", "-o", f"new/{LONG}/a.eyespot"],
    ["teach", "PHOTOS", "-o", "d/" * 3000 + "a.eyespot"],
    ["predict", "PHOTOS", "--csv", f"{LONG}.csv"],
    ["predict", "PHOTOS", "--parquet", f"{LONG}.parquet"],
    ["embed", "PHOTOS", "-o", f"{LONG}.parquet"],
    ["train", "PHOTOS", "--model", "lenet5", "-o", LONG],
    ["tune", "PHOTOS", "--model", "lenet5", "-o", LONG],
    ["explain", "dataset", "PHOTOS", "-o", f"{LONG}.html"],
    ["explain", "filters", "lenet5", "-o", f"{LONG}.png"],
    ["zoo", "--plot", f"{LONG}.svg"],
    ["graph", "x*y", "--svg", f"{LONG}.svg"],
)


@pytest.mark.parametrize("arguments", OUTPUTS, ids=lambda found: " ".join(found)[:60])
def test_names_that_no_file_can_have_are_told_before_the_work(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "PHOTOS", 2)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    importlib.import_module("eyespot.features.speed")  # else it would keep `never` for later tests
    for work in ("features.engines.open_engine", "training.trainer.Trainer.__init__"):
        monkeypatch.setattr(f"eyespot.{work}", never)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2, done.output
    assert "Choose a shorter one" in done.output
