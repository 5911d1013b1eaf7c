"""Projects of Boxes as zip files: what goes out comes in again, and attacks do not."""

import io
import zipfile
from pathlib import Path

import pytest

from eyespot.data.boxes.write import BoxFormat
from eyespot.errors import DatasetError, UsageError
from eyespot.studio.boxes.archive import export_boxes, import_boxes
from eyespot.studio.boxes.rows import Box
from eyespot.studio.boxes.store import BoxStore
from tests.studio.boxes.test_box_projects import cells


@pytest.fixture
def store(tmp_path: Path) -> BoxStore:
    return BoxStore(tmp_path / "boxes")


@pytest.mark.parametrize("to", ["coco", "voc", "yolo"])
def test_an_export_is_imported_again(store: BoxStore, tmp_path: Path, to: BoxFormat) -> None:
    project, rbc, (first, second, _) = cells(store, 3)
    project.annotate(first, [Box(rbc, 4, 5, 30, 20), Box(rbc, 10, 10, 60, 40)], done=True)
    project.annotate(second, [], done=True)
    export_boxes(project, tmp_path / "out.zip", to)
    found = import_boxes(store, (tmp_path / "out.zip").read_bytes(), "Again")
    snapshot = found.project.snapshot()
    assert (snapshot.name, list(snapshot.names.values())) == ("Again", ["RBC"])
    assert [(one.sha256, one.done) for one in snapshot.photos] == [
        (project.photo(id).sha256, True) for id in (first, second)
    ]
    (own,) = snapshot.names
    boxes = [(box.xmin, box.ymin, box.xmax, box.ymax) for box in snapshot.photos[0].boxes]
    assert boxes == [(4, 5, 30, 20), (10, 10, 60, 40)]
    assert {box.class_id for box in snapshot.photos[0].boxes} == {own}


def test_photos_that_are_not_done_are_not_exported(store: BoxStore, tmp_path: Path) -> None:
    project, rbc, (first, _) = cells(store)
    project.annotate(first, [Box(rbc, 4, 5, 30, 20)], done=False)
    with pytest.raises(UsageError, match="marked as done"):
        export_boxes(project, tmp_path / "out.zip", "coco")


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_bad_archives_are_one_sentence(store: BoxStore, tmp_path: Path) -> None:
    outside = zipped(**{"../../escaped.xml": b"<annotation/>", "/tmp/escaped.txt": b"0 1 1 1 1"})
    for data, message in (
        (b"PK nothing", "damaged"),
        (zipped(**{"notes.txt": b"Dear aunt"}), "found none in the archive"),
        (zipped(**{"bomb.jpg": bytes(50_000_000)}), "would unpack to"),
        (outside, "."),
    ):
        with pytest.raises(DatasetError, match=message):
            import_boxes(store, data, "Bad")
    assert not list(tmp_path.glob("**/escaped*"))
    assert store.list() == []
