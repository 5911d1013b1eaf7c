"""Import and export: zip files, folders and classifiers, own and foreign."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from eyespot.data.columns import ColumnNames
from eyespot.data.open import open_photos
from eyespot.errors import (
    ClassifierFileError,
    DatasetError,
    PhotoError,
    ProjectError,
    UsageError,
)
from eyespot.limits import MAX_NAME_CHARACTERS
from eyespot.studio import archive, archive_writer, rows
from eyespot.studio.archive_writer import write_archive
from eyespot.studio.imports import import_archive, import_classifier
from eyespot.studio.names import folder_names
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.teach import teach
from tests.pictures import write_folder
from tests.studio.teaching import add_classes, files, recording


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "studio")


def exported(made: Project) -> bytes:
    file = io.BytesIO()
    assert write_archive(made, file) == 0
    return file.getvalue()


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as made:
        for name, data in members.items():
            # With no date of now: tests are named after these bytes, alike in every process.
            made.writestr(zipfile.ZipInfo(name), data, how)
    return file.getvalue()


def zipped_folder(folder: Path) -> bytes:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return zipped({str(path.relative_to(folder)): path.read_bytes() for path in paths})


def photos(count: int = 3) -> list[bytes]:
    return [data for _, data in files("brick", count)]


def names(made: Project) -> dict[str, int]:
    """Photos by class."""
    snapshot = made.snapshot()
    return {of.name: sum(p.class_id == of.id for p in snapshot.photos) for of in snapshot.classes}


# --- out and in again ------------------------------------------------------------------------


def test_what_is_exported_comes_back_whole(store: Store) -> None:
    made = store.create("Mugs & more")
    ids = add_classes(made, 2, ("brick", "grass"))
    odd = made.add_class("../a/b: é")
    made.add_photos(odd, recording("gravel", 3, seed=1), "burst 1")
    made.add_class("empty")
    made.enable_class(ids["grass"], False)
    found = import_archive(store, exported(made), "elsewhere")
    before, after = made.snapshot(), found.project.snapshot()
    assert found.photos == 7
    assert found.skipped == ()
    assert after.name == "Mugs & more"
    assert [(of.name, of.enabled) for of in after.classes] == [
        (of.name, of.enabled) for of in before.classes
    ]
    assert [(p.sha256, p.burst) for p in after.photos] == [
        (p.sha256, p.burst) for p in before.photos
    ]
    assert after.undo is None


def test_unpacked_it_is_a_folder_of_class_folders(store: Store, tmp_path: Path) -> None:
    made = store.create("mugs")
    add_classes(made, 2)
    with zipfile.ZipFile(io.BytesIO(exported(made))) as file:
        file.extractall(tmp_path / "out")
    dataset = open_photos(tmp_path / "out")
    assert dataset.classes == ("brick", "grass", "gravel")
    own = {f"{name}/{name} {number}.png" for name in dataset.classes for number in range(2)}
    assert {photo.name for photo in dataset.photos} == own


ODD_NAMES = {
    "IMG_2041.png": "IMG_2041.png",
    "Käse (1).png": "Käse (1).png",
    "cafe\u0301.png": "café.png",
    "CAFÉ.PNG": "CAFÉ 2.PNG",
    "猫.png": "猫.png",
    "12:30 a<b>?*|.png": "12_30 a_b____.png",
    "aux.png": "aux_.png",
    "no ending": "no ending.png",
    "v1.0": "v1.0.png",
    "trailing. .png": "trailing.png",
    "..": "photo.png",
    "猫" * 90 + ".png": "猫" * 66 + ".png",
}


def members(data: bytes) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [member for member in file.infolist() if member.filename != "eyespot.json"]


def test_photos_keep_their_names_out_and_in_and_out(store: Store) -> None:
    made = store.create("cheese")
    contents = photos(len(ODD_NAMES) + 2)
    made.add_photos(made.add_class("é"), list(zip(ODD_NAMES, contents, strict=False)))
    made.add_photos(made.add_class("b"), [("folder\\IMG_2041.png", contents[-2])])
    made.add_photos(made.snapshot().classes[1].id, [("frame", contents[-1])], "burst 1")
    first = exported(made)
    found = [member.filename for member in members(first)]
    assert found == [f"é/{safe}" for safe in ODD_NAMES.values()] + ["b/IMG_2041.png", "b/00002.png"]
    assert all(member.flag_bits & 0x800 for member in members(first)[: len(ODD_NAMES)])
    again = import_archive(store, first, "x").project
    assert [member.filename for member in members(exported(again))] == found
    copy = store.duplicate(made.id)
    assert [member.filename for member in members(exported(copy))] == found


def test_photos_of_a_zip_file_keep_their_names(store: Store) -> None:
    one, two, three = photos()
    given = zipped({"cat/deep/Tom.png": one, "cat/tom.png": two, "dog/1.png": three})
    made = import_archive(store, given, "pets").project
    assert sorted(member.filename.casefold() for member in members(exported(made))) == [
        "cat/tom 2.png",
        "cat/tom.png",
        "dog/1.png",
    ]
    given = zipped({"cat/Tom.png": one, "dog/Käse.png": two})
    made = import_archive(store, given, "pets").project
    assert [member.filename for member in members(exported(made))] == [
        "cat/Tom.png",
        "dog/Käse.png",
    ]


def test_folders_have_names_that_every_system_can_hold() -> None:
    odd = ["a/b", "a\\b", "A_B", "..", "", "con", "x" * 100, "x" * 99, "é ", "a:b"]
    safe = folder_names(odd)
    assert len({name.casefold() for name in safe}) == len(odd)
    assert all(name == name.strip(" .") and len(name) < 70 for name in safe)
    assert not any(set(name) & set('/\\:*?"<>|\0') for name in safe)
    assert "con" not in safe


# --- zip files of strangers ------------------------------------------------------------------


@pytest.mark.parametrize("above", ["", "pets/", "a/b/"])
def test_folders_in_a_zip_file_are_classes(store: Store, above: str) -> None:
    one, two, three = photos()
    members = {
        f"{above}cat/1.png": one,
        f"{above}cat/deep/2.png": two,
        f"{above}dog/1.png": three,
        f"{above}dog/readme.txt": b"woof",
        "__MACOSX/cat/._1.png": b"x",
        f"{above}.DS_Store": b"x",
    }
    found = import_archive(store, zipped(members), "pets")
    assert found.project.snapshot().name == "pets"
    assert names(found.project) == {"cat": 2, "dog": 1}
    assert [skipped.path for skipped in found.skipped] == [f"{above}dog/readme.txt"]


@pytest.mark.parametrize("above", ["", "photos/"])
def test_a_table_in_a_zip_file_names_the_classes(store: Store, above: str) -> None:
    members = {f"{above}{n}.jpg": data for n, data in enumerate(photos(4))}
    rows = "".join(f"{n}.jpg,{'ab'[n % 2]},{'xyxx'[n]}\n" for n in range(4))
    table = {f"{above}labels.csv": f"file,label,colour\n{rows}".encode()}
    found = import_archive(store, zipped(members | table), "listed")
    assert names(found.project) == {"a": 2, "b": 2}
    assert "label column: label" in found.note
    table = {f"{above}labels.csv": f"file,animal,colour\n{rows}".encode()}
    with pytest.raises(DatasetError, match="--label-column"):
        import_archive(store, zipped(members | table), "listed")
    wanted = ColumnNames(label="colour")
    found = import_archive(store, zipped(members | table), "listed", wanted=wanted)
    assert names(found.project) == {"x": 3, "y": 1}


def test_a_table_beside_class_folders_does_not_count(store: Store) -> None:
    members = {f"{'ab'[n % 2]}/{n}.jpg": data for n, data in enumerate(photos(4))}
    members["notes.csv"] = b"what,ever\n1,2\n"
    assert names(import_archive(store, zipped(members), "x").project) == {"a": 2, "b": 2}


def test_names_in_a_zip_file_never_become_paths(store: Store, tmp_path: Path) -> None:
    one, two, _ = photos()
    members = {"../../evil/1.png": one, "/etc/2.png": two, "C:\\x\\3.png": two}
    before = set(tmp_path.rglob("*"))
    import_archive(store, zipped(members), "evil")
    after = {path.relative_to(tmp_path) for path in set(tmp_path.rglob("*")) - before}
    assert all(path.parts[:2] == ("studio", "photos") for path in after if "sql" not in path.name)
    assert not (tmp_path.parent / "evil").exists()


def test_zip_bombs_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"a/1.png": b"\0" * 30_000_000}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    with pytest.raises(DatasetError, match="would unpack"):
        import_archive(store, bomb, "bomb")
    monkeypatch.setattr(archive, "MAX_ARCHIVE_MEMBERS", 2)
    with pytest.raises(DatasetError, match="found 3"):
        import_archive(store, zipped({f"a/{n}.png": b"" for n in range(3)}), "many")
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(DatasetError, match="would unpack"):
        import_archive(store, zipped({"a/1.png": photos(1)[0]}), "large")
    assert store.list() == []


@pytest.mark.parametrize("limit", ["MAX_ARCHIVE_MANIFEST_BYTES", "MAX_ARCHIVE_BYTES"])
def test_what_could_not_be_imported_again_is_not_exported(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    made = store.create("mugs")
    add_classes(made, 3)
    before = exported(made)
    monkeypatch.setattr(archive, limit, 100)
    monkeypatch.setattr(archive_writer, limit, 100)
    with pytest.raises(ProjectError, match="cannot be exported"):
        write_archive(made, io.BytesIO())
    with pytest.raises(DatasetError):
        import_archive(store, before, "again")


def test_a_manifest_of_the_longest_names_is_read_again(store: Store) -> None:
    """Escaped, names of these letters would take six times as many bytes."""
    made = store.create("猫" * MAX_NAME_CHARACTERS)
    add_classes(made, 2)
    text = zipfile.ZipFile(io.BytesIO(exported(made))).read(archive.MANIFEST).decode()
    assert "猫" in text
    assert "\n" not in text


def test_a_member_that_lies_about_its_size_is_skipped(store: Store) -> None:
    one, two, _ = photos()
    honest = zipped({"a/1.png": one, "a/2.png": two})
    size = len(one).to_bytes(4, "little")
    lying = honest.replace(size, (10).to_bytes(4, "little"))
    assert lying != honest
    found = import_archive(store, lying, "liar")
    assert names(found.project) == {"a": 1}
    assert "unpacked" in found.skipped[0].reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip file", "zip file is damaged"),
        (zipped({"a/1.png": b"x"})[:-30], "zip file is damaged"),
        (zipped({"1.png": b"x"}), "in no class folder"),
        (zipped({}), "in no class folder"),
        (zipped({"a/1.png": b"x"}), "No photo could be read; 1 tried"),
        (zipped({"eyespot.json": json.dumps({"format": "eyespot-photos"}).encode()}), "classes"),
        (
            zipped({"eyespot.json": b'{"format": "eyespot-photos", "classes": 3, "bursts": {}}'}),
            "cannot be read",
        ),
    ],
)
def test_what_cannot_be_imported_is_told(store: Store, content: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        import_archive(store, content, "odd")
    assert store.list() == []


def test_a_manifest_of_a_stranger_can_only_name(store: Store) -> None:
    """Names too long, alike, or that no database takes, and folders that are not there."""
    one, two, three = photos()
    manifest = {
        "format": "eyespot-photos",
        "name": "\ud800" + "n" * 300,
        "classes": [
            {"folder": "a", "name": "y" * 300, "enabled": True},
            {"folder": "b", "name": "y" * 299, "enabled": 0},
            {"folder": "../c", "name": "\0", "enabled": "yes"},
        ],
        "bursts": {"a/1.png": "\ud800", "b/9.png": 7},
    }
    members = {"a/1.png": one, "b/1.png": two, "elsewhere/1.png": three}
    found = import_archive(
        store, zipped({**members, "eyespot.json": json.dumps(manifest).encode()}), "x"
    )
    counts = names(found.project)
    assert sorted(counts.values()) == [0, 1, 1]
    assert all(0 < len(name) <= MAX_NAME_CHARACTERS for name in counts)


# --- folders ---------------------------------------------------------------------------------


def test_a_folder_of_class_folders(store: Store, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "surfaces", 3)
    (folder / "brick" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    found = import_archive(store, zipped_folder(folder), "surfaces")
    assert found.project.snapshot().name == "surfaces"
    assert names(found.project) == {"brick": 3, "grass": 3}
    assert [skipped.path for skipped in found.skipped] == ["brick/broken.jpg"]


def test_an_import_too_large_for_a_project_is_refused_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_PROJECT_PHOTOS", 5)
    with pytest.raises(UsageError, match="at most 5 photos"):
        import_archive(store, zipped_folder(write_folder(tmp_path / "surfaces", 3)), "large")
    assert not store.files.folder.exists()


def test_a_disk_that_fills_while_importing_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "surfaces", 3)
    written: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("eyespot.studio.photo_files.write_atomically", full)
    with pytest.raises(ProjectError, match="is full"):
        import_archive(store, zipped_folder(folder), "full")
    assert store.list() == []


# --- classifiers -----------------------------------------------------------------------------


@pytest.fixture
def taught(tmp_path: Path, network: Path) -> Classifier:
    folder = write_folder(tmp_path / "surfaces", 6, ("brick", "grass", "gravel"))
    return teach(folder, method="svm", budget=0, backbone=str(network)).classifier


def test_a_classifier_brings_its_classes_and_thumbnails(
    store: Store, taught: Classifier, tmp_path: Path
) -> None:
    taught.save(tmp_path / "m.eyespot")
    found = import_classifier(store, tmp_path / "m.eyespot", "m")
    assert names(found.project) == {"brick": 6, "grass": 6, "gravel": 6}
    assert "holds no photos" in found.note
    assert taught.training_photos is not None
    photo = found.project.snapshot().photos[0]
    assert found.project.file(photo.sha256) is None
    assert found.project.photo(photo.id) == taught.training_photos.features.thumbnails[0]
    records = found.project.imported_features([photo.sha256], taught.backbone.extractor)
    assert np.array_equal(records[photo.sha256].features, taught.training_photos.features.values[0])
    assert found.project.imported_features([photo.sha256], "another network") == {}
    file = io.BytesIO()
    assert write_archive(found.project, file) == 18


def test_a_damaged_classifier_is_refused(store: Store, taught: Classifier, tmp_path: Path) -> None:
    assert taught.training_photos is not None
    object.__setattr__(taught.training_photos.features, "sha256", ("../../x",) * 18)
    taught.save(tmp_path / "m.eyespot")
    with pytest.raises(ClassifierFileError, match="damaged"):
        import_classifier(store, tmp_path / "m.eyespot", "m")
    assert store.list() == []


def test_a_classifier_with_strange_photos_brings_the_others(
    store: Store, taught: Classifier, tmp_path: Path
) -> None:
    assert taught.training_photos is not None
    features = taught.training_photos.features
    object.__setattr__(features, "thumbnails", (*features.thumbnails[:-1], b"<script>"))
    taught.save(tmp_path / "m.eyespot")
    found = import_classifier(store, tmp_path / "m.eyespot", "m")
    assert found.photos == 17
    assert len(found.skipped) == 1


def test_an_unreadable_photo_is_not_exported(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = store.create("mugs")
    add_classes(made, 1)

    def refuse(self: object, sha256: str) -> bytes:
        raise PhotoError("cannot be read")

    monkeypatch.setattr("eyespot.studio.photo_files.PhotoFiles.read", refuse)
    assert write_archive(made, io.BytesIO()) == 3
