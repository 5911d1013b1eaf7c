"""Projects on disk: changes are kept, can be undone, and are never half done."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from eyespot.data.decode import decode
from eyespot.errors import MissingError, ProjectError, UsageError
from eyespot.studio import database, project, project_list, rows
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from tests.studio.teaching import add_classes, files, recording


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "studio")


@pytest.fixture
def mugs(store: Store) -> Project:
    return store.create("mugs")


def stored(store: Store) -> set[str]:
    """Names of the photo files."""
    return {path.name for path in store.files.folder.glob("*/*")}


def grow_old(store: Store) -> None:
    for path in store.files.folder.glob("*/*"):
        os.utime(path, (0, 0))


def test_a_project_is_there_after_a_restart(store: Store, mugs: Project) -> None:
    ids = add_classes(mugs, 2)
    mugs.enable_class(ids["grass"], False)
    before = mugs.snapshot()
    again = Store(store.database.path.parent)
    (about,) = again.list()
    assert (about.name, about.photos, about.classes) == ("mugs", 6, 3)
    after = again.open(about.id).snapshot()
    assert after == before
    assert [(of.name, of.enabled) for of in after.classes] == [
        ("brick", True),
        ("grass", False),
        ("gravel", True),
    ]
    assert mugs.photo(after.photos[1].id) == files("brick", 2)[1][1]
    assert decode(mugs.thumbnail(after.photos[1].id)).width == 96


def test_every_step_is_undone_in_turn_also_after_a_restart(store: Store, mugs: Project) -> None:
    states = [mugs.snapshot()]

    def seen() -> None:
        states.append(mugs.snapshot())

    first = mugs.add_class("one")
    seen()
    second = mugs.add_class("two")
    seen()
    mugs.add_photos(first, files("brick", 3))
    seen()
    mugs.add_photos(second, files("grass", 2))
    seen()
    mugs.rename_class(first, "uno")
    seen()
    mugs.rename_class(second, "one")
    seen()
    mugs.enable_class(second, False)
    seen()
    photos = [p.id for p in mugs.snapshot().photos]
    mugs.move_photos(photos[:2], second)
    seen()
    mugs.remove_photos(photos[2:4])
    seen()
    mugs.delete_class(second)
    seen()
    versions = [state.version for state in states]
    assert versions == sorted(set(versions))
    again = Store(store.database.path.parent).open(mugs.id)
    for before in reversed(states[:-1]):
        assert again.undo() is not None
        now = again.snapshot()
        assert (now.classes, now.photos) == (before.classes, before.photos)
        assert now.undo == before.undo
    assert again.undo() is None
    assert again.snapshot().version > versions[-1]


def test_undo_names_its_step(mugs: Project) -> None:
    id = mugs.add_class("cup")
    mugs.delete_class(id)
    assert mugs.snapshot().undo == "deleting the class cup"
    assert mugs.undo() == "deleting the class cup"
    assert mugs.snapshot().undo == "adding the class cup"


def test_a_burst_is_one_step_however_its_frames_arrive(mugs: Project) -> None:
    id = mugs.add_class("brick")
    for burst in ("b1", "b2"):
        for seed in range(3):
            mugs.add_photos(id, recording("brick", 1, seed=seed + 10 * ord(burst[1])), burst)
    assert [p.burst for p in mugs.snapshot().photos] == ["b1"] * 3 + ["b2"] * 3
    mugs.undo()
    assert [p.burst for p in mugs.snapshot().photos] == ["b1"] * 3
    mugs.undo()
    assert mugs.snapshot().photos == ()
    assert len(mugs.snapshot().classes) == 1


def test_only_the_last_steps_can_be_undone(mugs: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_STEPS", 2)
    for name in "abcd":
        mugs.add_class(name)
    assert [mugs.undo() for _ in range(3)] == ["adding the class d", "adding the class c", None]
    assert [of.name for of in mugs.snapshot().classes] == ["a", "b"]


def test_a_file_that_is_not_a_photo_is_skipped(mugs: Project) -> None:
    id = mugs.add_class("brick")
    good = files("brick", 2)
    photos = [good[0], ("notes.jpg", b"dear diary"), good[1], ("half.png", good[0][1][:200])]
    added = mugs.add_photos(id, photos)
    assert len(added.photos) == 2
    assert [skipped.path for skipped in added.skipped] == ["notes.jpg", "half.png"]
    assert "not an image" in added.skipped[0].reason


def test_a_photo_is_added_once_to_a_class_and_may_be_in_two(mugs: Project) -> None:
    ids = add_classes(mugs, 0)
    (one,) = files("brick", 1)
    first = mugs.add_photos(ids["brick"], [one, one])
    assert (len(first.photos), first.existing) == (1, 1)
    version = mugs.version()
    assert mugs.add_photos(ids["brick"], [one]).existing == 1
    assert mugs.version() == version  # nothing changed
    assert len(mugs.add_photos(ids["grass"], [one]).photos) == 1
    mugs.move_photos(first.photos, ids["grass"])
    (left,) = mugs.snapshot().photos
    assert left.class_id == ids["grass"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "cup"])
def test_names_of_classes_are_unique_not_empty_and_short(mugs: Project, name: str) -> None:
    mugs.add_class("cup")
    other = mugs.add_class("glass")
    version = mugs.version()
    with pytest.raises(UsageError):
        mugs.add_class(name)
    with pytest.raises(UsageError):
        mugs.rename_class(other, name)
    assert mugs.version() == version


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "<b>x</b>", "con", "é" * 100, "\0"])
def test_names_are_text_and_never_paths(store: Store, name: str) -> None:
    before = set(store.database.path.parent.rglob("*"))
    made = store.create(name)
    id = made.add_class(name)
    made.add_photos(id, [(name, files("brick", 1)[0][1])])
    new = {path.name for path in set(store.database.path.parent.rglob("*")) - before}
    sha256 = made.snapshot().photos[0].sha256
    assert {n for n in new if not n.startswith("projects.sqlite3")} == {
        "photos",
        sha256[:2],
        sha256,
    }


def test_what_is_gone_or_of_another_project_is_missing(store: Store, mugs: Project) -> None:
    other = store.create("other")
    (ids, theirs) = (add_classes(mugs, 1), add_classes(other, 1))
    own = mugs.snapshot().photos[0].id
    with pytest.raises(MissingError):
        store.open("../" + mugs.id)
    for act in (
        lambda: other.delete_class(ids["brick"]),
        lambda: other.rename_class(ids["brick"], "x"),
        lambda: other.remove_photos([own]),
        lambda: other.move_photos([own], theirs["brick"]),
        lambda: mugs.move_photos([own], theirs["brick"]),
        lambda: other.add_photos(ids["brick"], files("grass", 1)),
        lambda: other.photo(own),
        lambda: other.thumbnail(own),
    ):
        with pytest.raises(MissingError):
            act()
    store.delete(mugs.id)
    with pytest.raises(MissingError):
        mugs.add_class("late")


def test_limits(store: Store, mugs: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_PROJECT_PHOTOS", 3)
    monkeypatch.setattr(project, "MAX_PROJECT_CLASSES", 2)
    monkeypatch.setattr(project_list, "MAX_PROJECTS", 1)
    id = mugs.add_class("brick")
    mugs.add_photos(id, files("brick", 2))
    with pytest.raises(UsageError, match="at most 3 photos"):
        mugs.add_photos(id, files("grass", 2))
    assert len(mugs.snapshot().photos) == 2
    mugs.add_class("grass")
    with pytest.raises(UsageError, match="at most 2 classes"):
        mugs.add_class("gravel")
    with pytest.raises(UsageError, match="at most 1 projects"):
        store.create("another")


def test_as_a_dataset_for_what_takes_longer(mugs: Project) -> None:
    ids = add_classes(mugs, 2)
    mugs.add_photos(ids["brick"], recording("brick", 2, seed=5), "burst")
    mugs.enable_class(ids["grass"], False)
    gone = next(p for p in mugs.snapshot().photos if p.class_id == ids["gravel"])
    mugs.path(gone.sha256).unlink()
    dataset = mugs.dataset()
    assert dataset.classes == ("brick", "gravel")
    assert [photo.group for photo in dataset.photos] == [None, None, None, "burst", "burst"]
    assert dataset.photos[0].read() == files("brick", 1)[0][1]


def test_a_copy_is_a_project_of_its_own(store: Store, mugs: Project) -> None:
    ids = add_classes(mugs, 2)
    mugs.enable_class(ids["grass"], False)
    copy = store.duplicate(mugs.id)
    before, after = mugs.snapshot(), copy.snapshot()
    assert after.name == "mugs (copy)"
    assert [(of.name, of.enabled) for of in after.classes] == [
        (of.name, of.enabled) for of in before.classes
    ]
    assert [p.sha256 for p in after.photos] == [p.sha256 for p in before.photos]
    copy.delete_class(after.classes[0].id)
    assert mugs.snapshot() == before
    with pytest.raises(MissingError):
        store.duplicate("0123456789abcdef")


def test_a_deleted_project_waits_in_the_trash(store: Store, mugs: Project) -> None:
    add_classes(mugs, 2)
    before = mugs.snapshot()
    store.delete(mugs.id)
    assert store.list() == []
    assert [about.name for about in store.list(deleted=True)] == ["mugs"]
    with pytest.raises(MissingError):
        store.delete(mugs.id)
    back = store.restore(mugs.id).snapshot()
    assert (back.classes, back.photos) == (before.classes, before.photos)
    assert store.purge() == 0
    store.delete(mugs.id)
    assert store.purge(older_than=1000) == 0
    assert store.purge() == 1
    assert store.list(deleted=True) == []


def test_files_stay_while_a_project_the_trash_or_undo_needs_them(
    store: Store, mugs: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = mugs.add_class("brick")
    added = mugs.add_photos(id, files("brick", 3))
    copy = store.duplicate(mugs.id)
    grow_old(store)
    mugs.remove_photos(added.photos)
    copy.remove_photos([p.id for p in copy.snapshot().photos[1:]])
    store.purge()
    assert len(stored(store)) == 3  # undo needs all
    mugs.undo()
    assert all(mugs.photo(p.id) for p in mugs.snapshot().photos)
    store.delete(mugs.id)
    store.purge(older_than=1000)
    assert len(stored(store)) == 3  # the trash
    monkeypatch.setattr(database, "MAX_STEPS", 1)
    copy.add_class("more")
    store.purge()
    assert stored(store) == {p.sha256 for p in copy.snapshot().photos}
    assert len(stored(store)) == 1
    assert copy.thumbnail(copy.snapshot().photos[0].id)


def test_a_file_that_was_just_written_is_not_swept_away(store: Store, mugs: Project) -> None:
    """Its row may be about to come, from another process."""
    data = files("brick", 1)[0][1]
    kept = store.files.add(data)
    store.purge()
    assert stored(store) == {kept.sha256}
    grow_old(store)
    store.files.add(data)  # again: it counts as new
    store.purge()
    assert stored(store) == {kept.sha256}
    grow_old(store)
    store.purge()
    assert stored(store) == set()


def test_a_full_disk_is_told_and_changes_nothing(
    store: Store, mugs: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = mugs.add_class("brick")
    before = mugs.snapshot()
    with store.database.reading() as held:
        pages = held.execute("PRAGMA page_count").fetchone()[0]
        held.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(ProjectError, match="is full"):
        mugs.add_photos(id, files("brick", 40))
    assert mugs.snapshot() == before

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eyespot.studio.photo_files.write_atomically", full)
    with pytest.raises(ProjectError, match="full"):
        mugs.add_photos(id, files("grass", 1))
    assert mugs.snapshot() == before
    monkeypatch.undo()
    mugs.add_photos(id, files("brick", 40))
    assert len(mugs.snapshot().photos) == 40


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "projects.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(ProjectError, match="damaged"):
        Store(tmp_path).list()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ProjectError, match="cannot be created"):
        Store(tmp_path / "file" / "studio")


def test_another_writer_is_waited_for_and_at_last_told_of(
    mugs: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eyespot.features.database.PATIENCE", 0.05)
    other = sqlite3.connect(mugs._database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    failed: list[Exception] = []

    def add() -> None:  # a thread of its own: a connection opened with this patience
        try:
            mugs.add_class("brick")
        except ProjectError as error:
            failed.append(error)

    thread = threading.Thread(target=add)
    thread.start()
    thread.join()
    assert "Another eyespot process" in str(failed[0])
    assert mugs.snapshot().classes == ()  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    mugs.add_class("brick")


def test_many_threads_on_one_project(mugs: Project) -> None:
    ids = add_classes(mugs, 0)
    version = mugs.version()

    def add(name: str) -> None:
        for number, one in enumerate(files(name, 8)):
            mugs.add_photos(ids[name], [one])
            if number == 4:
                mugs.add_class(f"{name} too")

    threads = [threading.Thread(target=add, args=[name]) for name in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = mugs.snapshot()
    assert len(snapshot.photos) == 24
    assert len(snapshot.classes) == 6
    assert snapshot.version == version + 27


BUSY = """
import sys
from pathlib import Path
from eyespot.studio.projects import Store
from tests.studio.teaching import files
project = Store(Path(sys.argv[1])).open(sys.argv[2])
one, two, *_ = (of.id for of in project.snapshot().classes)
photos = files("brick", 4)
print("ready", flush=True)
while True:
    # Every state that may be seen: 0 or 4 photos in each class, 4 at most in all.
    ids = project.add_photos(one, photos).photos
    project.move_photos(ids, two)
    project.undo()
    project.move_photos(ids, two)
    project.remove_photos(ids)
"""


def test_killed_at_any_moment_nothing_is_half_done(store: Store, mugs: Project) -> None:
    for name in ("one", "two"):
        mugs.add_class(name)
    command = [sys.executable, "-c", BUSY, str(store.database.path.parent), mugs.id]
    for moment in (0, 3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        mugs.add_class(f"of this process {moment}")
        time.sleep(0.03 + 0.023 * moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        snapshot = mugs.snapshot()
        counts = tuple(
            sum(p.class_id == of.id for p in snapshot.photos) for of in snapshot.classes[:2]
        )
        assert counts in {(0, 0), (4, 0), (0, 4)}
        for photo in snapshot.photos:
            assert decode(mugs.photo(photo.id)).pixels.shape == (40, 40, 3)
        # The next one begins with what this one left.
        if snapshot.photos:
            mugs.remove_photos([p.id for p in snapshot.photos])
    check = sqlite3.connect(store.database.path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert check.execute("PRAGMA foreign_key_check").fetchall() == []
    check.close()


def test_projects_of_another_version_are_named(tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "projects.sqlite3")
    file.execute("CREATE TABLE pictures (id INTEGER)")
    file.close()
    with pytest.raises(ProjectError, match="format version 0, expected 2"):
        Store(tmp_path).list()
    file = sqlite3.connect(tmp_path / "projects.sqlite3")
    assert file.execute("SELECT name FROM sqlite_master").fetchall() == [("pictures",)]
    file.close()
