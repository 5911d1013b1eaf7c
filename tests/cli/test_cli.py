"""The command line as a person and a machine use it."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import run_eyespot as eyespot
from tests.pictures import write_folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught")
    write_folder(folder / "photos")
    (folder / "photos/brick/broken.jpg").write_text("this is text")
    (folder / "photos/grass/empty.png").touch()
    return folder


@pytest.fixture
def model(taught: Path) -> Path:
    path = taught / "m.eyespot"
    if not path.exists():
        done = eyespot("teach", taught / "photos", "-o", path, "--budget", 1, "--json")
        assert done.returncode == 0, done.stderr
        (taught / "summary.json").write_text(done.stdout)
    return path


def test_teach_json(taught: Path, model: Path) -> None:
    found = json.loads((taught / "summary.json").read_text())
    assert found["classes"] == ["brick", "grass"]
    assert found["photos"] == 24
    assert {Path(s["path"]).name for s in found["skipped"]} == {"broken.jpg", "empty.png"}
    assert all(s["reason"] for s in found["skipped"])
    keys = "duplicates method reason top1 top1_interval ece candidates photos_per_second"
    assert not set(keys.split()) - set(found)
    assert set(found["seconds"]) == {"load", "embed", "select", "evaluate", "total"}
    assert {"method", "top1", "seconds"} <= set(found["candidates"][0])
    assert (taught / "m.report.html").exists()


@pytest.mark.slow
def test_teach_names_the_source_of_the_labels(taught: Path, tmp_path: Path) -> None:
    rows = [f"{one},{one.parent.name}" for one in (taught / "photos").glob("*/*.png")]
    table = tmp_path / "photos.csv"
    table.write_text("\n".join(["path,label", *rows]))
    for source, by_folder in ((taught / "photos", True), (table, False)):
        done = eyespot("teach", source, "-o", tmp_path / "m.eyespot", "--budget", 1)
        assert done.returncode == 0, done.stderr
        assert ("labels from folder names" in done.stdout) is by_folder
        assert ("label column: label" in " ".join(done.stdout.split())) is not by_folder


def test_predict(taught: Path, model: Path, tmp_path: Path) -> None:
    photo = taught / "photos/grass/0.png"
    broken = taught / "photos/brick/broken.jpg"
    shown = eyespot("predict", photo, "-m", model)
    assert shown.returncode == 0
    assert "grass" in shown.stdout
    found = json.loads(eyespot("predict", photo, broken, "-m", model, "--json").stdout)
    answers = {Path(a["path"]).name: a for a in found}
    assert answers["0.png"]["top"][0]["label"] == "grass"
    assert answers["0.png"]["error"] is None
    assert answers["broken.jpg"]["error"]
    done = eyespot("predict", taught / "photos", "-m", model, "--csv", tmp_path / "a.csv",
                   "--parquet", tmp_path / "a.parquet")  # fmt: skip
    assert done.returncode == 0
    with (tmp_path / "a.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 26
    assert sum(bool(row["error"]) for row in rows) == 2
    assert (tmp_path / "a.parquet").stat().st_size > 0
    piped = eyespot("predict", "-", "-m", model, "--json", stdin=str(photo))
    assert json.loads(piped.stdout)[0]["top"][0]["label"] == "grass"
    assert eyespot("predict", broken, "-m", model).returncode == 1


def test_predict_starts_without_torch_and_scikit_learn(taught: Path, model: Path) -> None:
    photo = taught / "photos/grass/0.png"
    code = (
        "import sys\nfrom eyespot.cli.main import app\n"
        f"sys.argv[1:] = ['predict', {str(photo)!r}, '-m', {str(model)!r}]\n"
        "try:\n    app()\nfinally:\n"
        "    heavy = {'torch', 'sklearn', 'scipy', 'pandas', 'pyarrow', 'jinja2'}\n"
        "    print(sorted(heavy & set(sys.modules)))"
    )
    assert eyespot("predict", taught / "photos/grass/0.png", "-m", model).returncode == 0
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_evaluate(taught: Path, model: Path) -> None:
    found = json.loads(eyespot("evaluate", taught / "photos", "-m", model, "--json").stdout)
    assert {"top1", "top1_interval", "top5", "ece", "per_class", "confusion"} <= set(found)
    assert len(found["known_photos"]) == 24
    assert (
        "trained on 24 photos of these"
        in eyespot("evaluate", taught / "photos", "-m", model).stdout
    )


def test_embed_and_cache(taught: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    done = eyespot("embed", taught / "photos", "-o", tmp_path / "f.parquet")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.num_rows == 26
    readable = table.filter(table["error"].is_null())
    assert readable.num_rows == 24
    assert {len(row) for row in readable["top.mean"]} == {1280}
    lost = table.filter(table["error"].is_valid())
    assert {Path(path).name for path in lost["path"].to_pylist()} == {"broken.jpg", "empty.png"}
    kept = (tmp_path / "f.parquet").read_bytes()
    broken = taught / "photos/brick/broken.jpg"
    done = eyespot("embed", broken, "-o", tmp_path / "f.parquet")
    assert (done.returncode, done.stdout) == (1, "")
    assert "None of the photos could be used, so nothing is written" in done.stderr
    assert (tmp_path / "f.parquet").read_bytes() == kept
    info = json.loads(eyespot("cache", "--json").stdout)
    assert info["photos"] == 24
    cleared = json.loads(eyespot("cache", "--clear", "--json").stdout)
    assert (cleared["photos"], cleared["beside_bytes"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("teach", "/nowhere"), 1, "no file or folder"),
        (("teach", "."), 1, "class"),
        (("teach",), 2, "Missing argument"),
        (("teach", "photos", "-o", "."), 2, "is a folder"),
        (("predict", "/nowhere.jpg"), 1, "no file"),
        (("predict",), 2, "at least one photo"),
        (("predict", "x.jpg", "-m", "/nowhere.eyespot"), 1, "found none"),
        (("frobnicate",), 2, "No such command"),
        (("teach", "photos", "--method", "magic"), 2, "Expected the method auto"),
        (("teach", "photos", "--backbone", "efficientnet_lite00"), 2, "did you mean"),
        (("predict", "--video", "/nowhere.mp4"), 2, "no video"),
    ],
)
def test_bad_use_is_a_message(
    arguments: tuple[str, ...], code: int, words: str, taught: Path, tmp_path: Path
) -> None:
    arguments = tuple(str(taught / "photos") if a == "photos" else a for a in arguments)
    done = eyespot(*arguments, folder=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_kill_at_any_moment_leaves_no_half_file(
    taught: Path, own_cache: Path, tmp_path: Path
) -> None:
    assert eyespot("teach", taught / "photos", "-o", tmp_path / "a.eyespot").returncode == 0
    before = (tmp_path / "a.eyespot").read_bytes()
    rng = random.Random(0)
    for attempt in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "eyespot", "teach", str(taught / "photos"),
             "-o", str(tmp_path / "a.eyespot"), "--budget", "1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(rng.uniform(0.2, 3))
        process.send_signal(signal.SIGKILL if attempt % 2 else signal.SIGINT)
        process.wait()
        now = (tmp_path / "a.eyespot").read_bytes()
        assert (
            now == before
            or eyespot(
                "predict", taught / "photos/grass/0.png", "-m", tmp_path / "a.eyespot"
            ).returncode
            == 0
        )
    done = eyespot("teach", taught / "photos", "-o", tmp_path / "a.eyespot", "--json")
    assert json.loads(done.stdout)["photos"] == 24
    assert os.listdir(own_cache)  # noqa: PTH208


def test_the_demo_does_the_whole_job(tmp_path: Path) -> None:
    done = eyespot("demo", "-o", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo/report.html").stat().st_size > 10_000
    assert str(tmp_path / "demo/report.html") in done.stdout


def test_output_that_is_lost_is_told() -> None:
    command = [sys.executable, "-m", "eyespot", "cache"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
