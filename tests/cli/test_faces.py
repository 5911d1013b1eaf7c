"""`eyespot faces` as a person uses it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.tasks.detection import faces as detector
from eyespot.weights.importers import import_weights
from tests.tasks.detection.test_faces import GROUPS


def faces(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["faces", *map(str, arguments)])


@pytest.fixture
def folder(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos of groups, one of them turned by its EXIF, and a damaged file."""
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path / "weights"))
    detector._detector.cache_clear()
    manifest = shared_data / "weights" / "tiny_face_detector_model-weights_manifest.json"
    import_weights("tiny_yolo_face", manifest)
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(shared_data / "faces" / "bbt3.jpg", photos / "a.jpg")
    (photos / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 damaged")
    with Image.open(shared_data / "faces" / "bbt2.jpg") as image:
        exif = Image.Exif()
        exif[0x0112] = 6  # upright after a quarter turn clockwise
        image.rotate(90, expand=True).save(photos / "c.jpg", exif=exif, quality=95)
    monkeypatch.chdir(tmp_path)
    return photos


def test_a_line_for_each_photo(folder: Path) -> None:
    done = faces(folder)
    assert done.exit_code == 0
    first, damaged, turned = done.stdout.splitlines()
    assert first.endswith(f"a.jpg  {GROUPS['bbt3.jpg']} faces")
    assert "b.jpg  cannot be used: " in damaged
    assert turned.endswith(f"c.jpg  {GROUPS['bbt2.jpg']} faces")
    assert faces(folder / "b.jpg").exit_code == 1


def test_json_has_boxes_of_the_upright_photo(folder: Path) -> None:
    first, damaged, turned = json.loads(faces(folder, "--json").stdout)
    assert len(first["faces"]) == GROUPS["bbt3.jpg"]
    assert damaged["error"]
    assert damaged["faces"] == []
    with Image.open(folder / "c.jpg") as image:
        assert (turned["height"], turned["width"]) == image.size  # as it is stored
    for one in (first, turned):
        assert one["annotated"] is None
        for face in one["faces"]:
            left, top, right, bottom = face["box"]
            assert 0 <= left < right <= one["width"]
            assert 0 <= top < bottom <= one["height"]
            assert 0.5 <= face["score"] <= 1


def test_annotated_photos_are_the_photos_with_boxes(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = faces(folder, "--annotated", folder, "--json")
    assert done.exit_code == 0
    assert {path: path.read_bytes() for path in before} == before
    written = [Path(one["annotated"]) for one in json.loads(done.stdout) if not one["error"]]
    assert [path.name for path in written] == ["1-a.jpg", "3-c.jpg"]
    with Image.open(folder / "a.jpg") as photo, Image.open(written[0]) as drawn:
        assert drawn.size == photo.size
        changed = np.abs(np.asarray(drawn, int) - np.asarray(photo.convert("RGB"), int)).max(2) > 60
    assert 0.001 < changed.mean() < 0.1
    assert f"Wrote {folder}" in faces(folder / "a.jpg", "--annotated", folder).stdout


def test_no_photo_is_overwritten(folder: Path, tmp_path: Path) -> None:
    photo = folder / "1-a.jpg"
    (folder / "a.jpg").rename(photo)
    (tmp_path / "a.jpg").symlink_to(photo)
    before = photo.read_bytes()
    done = faces(tmp_path / "a.jpg", "--annotated", folder)
    assert done.exit_code == 2
    assert "would overwrite" in done.stderr
    assert photo.read_bytes() == before
    done = faces(photo, "--annotated", photo)
    assert done.exit_code == 2
    assert "is a file. Name a folder." in done.stderr


def test_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path / "weights"))
    detector._detector.cache_clear()
    Image.new("RGB", (50, 50)).save(tmp_path / "a.png")
    done = faces(tmp_path / "a.png")
    assert done.exit_code == 1
    assert "tiny_yolo_face" in done.stderr
    assert done.stdout == ""
