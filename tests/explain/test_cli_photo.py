"""`eyespot explain PHOTO` as a person uses it."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import eyespot
from eyespot.cli.main import app
from tests.pictures import patches, write_folder


@pytest.fixture(scope="module")
def taught(
    network: Path, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The file of a classifier of brick and grass."""
    folder = tmp_path_factory.mktemp("taught")
    (folder / "networks").symlink_to(converted_networks, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(folder))
        lesson = eyespot.teach(write_folder(folder / "photos"), budget=0, backbone=str(network))
        lesson.classifier.save(folder / "pets.eyespot")
    return folder / "pets.eyespot"


@pytest.fixture(autouse=True)
def folder(taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pets.eyespot").write_bytes(taught.read_bytes())
    (tmp_path / "holiday").mkdir()
    for name, surface in (("photo", "grass"), ("holiday/1", "brick"), ("holiday/2", "grass")):
        Image.fromarray(patches(surface, 1, seed=9)[0]).save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        ("photo.png", "-m", "pets.eyespot"),
        ("-m", "pets.eyespot", "photo.png"),
        ("photo", "photo.png", "-m", "pets.eyespot"),
    ],
)
def test_a_photo_is_explained(folder: Path, arguments: tuple[str, ...]) -> None:
    done = explain(*arguments)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "photo.png"
    assert re.fullmatch(r"  grass, [\d.]+%", lines[1])
    assert re.fullmatch(r"  Second: brick, [\d.]+%, [\d.]+ points behind.", lines[2])
    assert re.match(r"  With \d squares? covered|  Covering up to 6 squares", lines[3])
    assert lines[4] == "  Similar training photos:"
    assert re.fullmatch(r"    grass  +[\d.]+  grass/\d+\.png", lines[5])
    with Image.open(folder / "explained.png") as image:
        assert lines[-1] == f"  explained.png: {image.width} x {image.height} pixels"


def test_why_not_another_class(folder: Path) -> None:
    done = explain("photo.png", "-m", "pets.eyespot", "--class", "brick", "-o", "why.png")
    assert done.exit_code == 0, done.output
    assert "  why not brick, " in done.stdout
    assert "points behind grass." in done.stdout
    assert (folder / "why.png").is_file()


def test_several_photos_go_into_a_folder_and_a_bad_one_is_named(folder: Path) -> None:
    (folder / "holiday/3.png").write_bytes((folder / "photo.png").read_bytes()[:300])
    done = explain("holiday", "-m", "pets.eyespot", "-o", "why", "--json")
    assert done.exit_code == 0, done.output
    first, second, bad = json.loads(done.stdout)
    assert (first["label"], second["label"]) == ("brick", "grass")
    assert first["image"] == "why/1-1.png"
    assert bad["path"] == "holiday/3.png"
    assert "truncated" in bad["error"]
    assert sorted(p.name for p in (folder / "why").iterdir()) == ["1-1.png", "2-2.png"]
    assert explain("holiday", "-m", "pets.eyespot").stdout.count("cannot be used") == 1
    assert sorted(p.name for p in (folder / "explained").iterdir()) == ["1-1.png", "2-2.png"]


def test_a_long_name_makes_no_longer_one(folder: Path) -> None:
    (folder / "holiday/1.png").rename(folder / "holiday" / ("x" * 240 + ".png"))
    assert explain("holiday", "-m", "pets.eyespot").exit_code == 0
    assert len(sorted((folder / "explained").iterdir())[-1].name) < 60


def test_the_networks_own_classes_without_a_classifier(folder: Path) -> None:
    done = explain("photo.png")
    assert done.exit_code == 0, done.output
    assert "unknown, the model stores none" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nothing.png",), 1, "no file, folder or pattern nothing"),
        (("filtres",), 1, "Check the spelling"),
        ((), 2, r"Name a photo, as in: .* photo\.jpg -m pets\.eyespot"),
        (("--help",), 0, r"Usage: .* PHOTO -m MODEL .*\n +.* COMMAND"),
        (("photo.png", "-m", "photo.png"), 1, "photo.png"),
        (("photo.png", "-o", "x.jpg"), 2, r"ends in \.png"),
        (("photo.png", "-o", "photo.png"), 2, "would overwrite photo"),
        (("holiday", "-o", "photo.png"), 2, "is a file. Name a folder"),
        (("photo.png", "-m", "pets.eyespot", "--class", "cat"), 2, "classes are brick, grass"),
        (("pets.eyespot", "-m", "pets.eyespot"), 1, "cannot be used: not an image"),
        (("bad.png", "-m", "pets.eyespot"), 1, "cannot be used: the file is empty"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], code: int, message: str, folder: Path
) -> None:
    (folder / "bad.png").touch()
    before = sorted(folder.rglob("*"))
    done = explain(*arguments)
    assert done.exit_code == code, done.output
    assert re.search(message, done.output)
    assert sorted(folder.rglob("*")) == before
