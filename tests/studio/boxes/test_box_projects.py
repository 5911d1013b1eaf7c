"""Projects of Boxes on disk: nothing is lost, every change can be undone."""

import io
from pathlib import Path

import pytest
from PIL import Image

from eyespot.errors import MissingError, UsageError
from eyespot.studio.boxes.project import BoxProject
from eyespot.studio.boxes.rows import Box
from eyespot.studio.boxes.store import BoxStore
from eyespot.studio.projects import Store
from tests.pictures import patches


@pytest.fixture
def store(tmp_path: Path) -> BoxStore:
    return BoxStore(tmp_path / "boxes")


def photos(count: int, width: int = 60, height: int = 40) -> list[tuple[str, bytes]]:
    found = []
    for number, patch in enumerate(patches("gravel", count, side=width)):
        file = io.BytesIO()
        Image.fromarray(patch[:height]).save(file, "PNG")
        found.append((f"gravel {number}.png", file.getvalue()))
    return found


def cells(store: BoxStore, count: int = 2) -> tuple[BoxProject, str, tuple[int, ...]]:
    """A project with a class and `count` photos of 60 x 40 pixels."""
    project = store.create("Cells")
    return project, project.add_class("RBC"), project.add_photos(photos(count)).photos


def test_boxes_are_there_after_a_restart(store: BoxStore) -> None:
    project, rbc, (first, second) = cells(store)
    project.annotate(first, [Box(rbc, 1, 2, 30.126, 20)], done=True)
    again = BoxStore(store.folder).open(project.id).snapshot()
    assert again.photos[0].boxes == (Box(rbc, 1, 2, 30.13, 20),)
    assert [(one.id, one.done) for one in again.photos] == [(first, True), (second, False)]
    assert (again.photos[0].width, again.photos[0].height) == (60, 40)


def test_boxes_count_pixels_of_the_upright_photo(store: BoxStore) -> None:
    file = io.BytesIO()
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (60, 40)).save(file, "JPEG", exif=turned)
    project = store.create("Cells")
    project.add_photos([("turned.jpg", file.getvalue())])
    (photo,) = project.snapshot().photos
    assert (photo.width, photo.height) == (40, 60)


def test_boxes_are_clipped_and_refused_without_an_area(store: BoxStore) -> None:
    project, rbc, (first, _) = cells(store)
    project.annotate(first, [Box(rbc, -5, -5, 100, 100)], done=False)
    assert project.photo(first).boxes == (Box(rbc, 0, 0, 60, 40),)
    for bad in ((70, 0, 80, 10), (10, 10, 5, 5), (float("nan"), 0, 5, 5)):
        with pytest.raises(UsageError, match="Draw the box again"):
            project.annotate(first, [Box(rbc, *bad)], done=False)
    with pytest.raises(MissingError, match="class"):
        project.annotate(first, [Box("another", 0, 0, 5, 5)], done=False)
    with pytest.raises(UsageError, match="at most 10,000 boxes"):
        project.annotate(first, [Box(rbc, 0, 0, 5, 5)] * 10_001, done=False)
    assert len(project.photo(first).boxes) == 1


def test_every_step_can_be_undone(store: BoxStore) -> None:
    project, rbc, (first, second) = cells(store)
    wbc = project.add_class("WBC")
    boxes = [Box(rbc, 0, 0, 5, 5), Box(wbc, 5, 5, 9, 9)]
    project.annotate(first, boxes, done=True)
    before = project.snapshot()
    project.delete_class(rbc)
    assert project.photo(first).boxes == (boxes[1],)
    project.remove_photos([first, second])
    project.rename_class(wbc, "white")
    for undone in ("renaming WBC", "removing 2 photos", "deleting the class RBC"):
        assert project.undo() == undone
    after = project.snapshot()
    assert (after.classes, after.photos) == (before.classes, before.photos)


def test_a_class_keeps_its_position(store: BoxStore) -> None:
    project = store.create("Cells")
    first, second = project.add_class("a"), project.add_class("b")
    project.delete_class(first)
    assert [(of.id, of.position) for of in project.snapshot().classes] == [(second, 1)]
    with pytest.raises(UsageError, match="already exists"):
        project.add_class("b")


def test_photos_are_added_once_and_others_named(store: BoxStore) -> None:
    project = store.create("Cells")
    added = project.add_photos([*photos(1), *photos(1), ("notes.jpg", b"Dear aunt")])
    assert (len(added.photos), added.existing) == (1, 1)
    assert [one.path for one in added.skipped] == ["notes.jpg"]


def test_rooms_do_not_open_each_others_projects(tmp_path: Path) -> None:
    teach, boxes = Store(tmp_path), BoxStore(tmp_path / "boxes")
    with pytest.raises(MissingError):
        boxes.open(teach.create("Mugs").id)
    with pytest.raises(MissingError):
        teach.open(boxes.create("Cells").id)
    assert [[one.name for one in store.list()] for store in (teach, boxes)] == [["Mugs"], ["Cells"]]


def test_deleted_projects_come_from_the_trash_until_they_are_purged(store: BoxStore) -> None:
    project, _, (first, _) = cells(store)
    sha256 = project.photo(first).sha256
    store.delete(project.id)
    assert store.list() == []
    assert len(store.list(deleted=True)) == 1
    store.purge(older_than=1000.0)
    assert store.restore(project.id).photo(first).sha256 == sha256
    store.delete(project.id)
    store.trained(project.id).mkdir(parents=True)
    assert store.purge() == 1
    assert not store.trained(project.id).exists()
    assert store.list(deleted=True) == []
