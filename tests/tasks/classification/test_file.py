"""NAME.eyespot: whole or an error, never half, never something else."""

import io
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.data.photos import label_of
from eyespot.errors import ClassifierFileError, EyespotError, UsageError
from eyespot.tasks import file as classifier_file
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.classification.training_photos import photo_arrays
from eyespot.tasks.task import load
from tests.pictures import patches

FLIPS = 400
PROBES = 6


@pytest.fixture(scope="module")
def classifier(
    converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Classifier]:
    folder = tmp_path_factory.mktemp("cache")
    (folder / "networks").symlink_to(converted_networks, target_is_directory=True)
    photos = [*patches("brick", 6), *patches("grass", 6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(folder))
        yield teach(photos, ["brick"] * 6 + ["grass"] * 6, method="logistic", budget=0).classifier


@pytest.fixture(scope="module")
def whole(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "whole.eyespot"
    classifier.save(path)
    return path


@pytest.fixture(scope="module")
def probes(classifier: Classifier) -> NDArray[np.float32]:
    """Features of photos that were not taught."""
    pixels = [classifier.prepare(p) for p in patches("gravel", PROBES, seed=7)]
    return classifier.engine.run(np.stack(pixels))


Answer = tuple[list[Any], dict[str, NDArray[Any]]]
"""What is said and how, and the arrays of the taught photos."""


@pytest.fixture
def answer(classifier: Classifier, probes: NDArray[np.float32]) -> Callable[[Classifier], Answer]:
    """All that a classifier says and remembers, to be compared with another's."""

    def everything(other: Classifier) -> Answer:
        other._engine = classifier.engine  # opening one takes long, and is not what is tested
        probabilities, ood_scores = other.score_features(probes)
        taught = other.training_photos
        kept = {} if taught is None else photo_arrays(taught)
        return [other.classes, probabilities, ood_scores, other.ood_threshold], kept

    return everything


def same(first: Answer, second: Answer) -> bool:
    (said, kept), (said_too, kept_too) = first, second
    return (
        all(np.array_equal(a, b) for a, b in zip(said, said_too, strict=True))
        and kept.keys() == kept_too.keys()
        and all(np.array_equal(kept[name], kept_too[name]) for name in kept)
    )


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, content: Mapping[str, bytes]) -> Path:
    """The texts packed, as they once were."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            packed = not name.endswith(".safetensors")
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return path


def with_manifest(whole: Path, path: Path, **changes: Any) -> Path:
    """A copy of `whole` in which some entries of the manifest are others; ... removes one."""
    content = members(whole)
    manifest = {**json.loads(content["manifest.json"]), **changes}
    kept = {key: value for key, value in manifest.items() if value is not ...}
    return written(path, {**content, "manifest.json": json.dumps(kept).encode()})


# --- what goes in comes out --------------------------------------------------------------------


def test_a_round_trip_gives_the_same_answers(
    classifier: Classifier, whole: Path, answer: Callable[[Classifier], Answer]
) -> None:
    assert same(answer(load(whole)), answer(classifier))


def test_a_second_round_trip_gives_the_same_file(whole: Path, tmp_path: Path) -> None:
    load(whole).save(tmp_path / "again.eyespot")
    assert members(tmp_path / "again.eyespot") == members(whole)


def test_everything_about_it_survives(classifier: Classifier, whole: Path) -> None:
    again = load(whole)
    assert again.recipe == classifier.recipe
    assert again.backbone == classifier.backbone
    assert again.temperature == classifier.temperature
    assert again.metrics == json.loads(json.dumps(classifier.metrics))
    assert again.training_photos is not None
    assert classifier.training_photos is not None
    assert (
        again.training_photos.features.thumbnails == classifier.training_photos.features.thumbnails
    )


def test_nothing_in_it_can_be_executed(whole: Path) -> None:
    assert set(members(whole)) == {
        "manifest.json",
        "README.md",
        "head.safetensors",
        "photos.safetensors",
    }


def test_unknown_members_are_ignored(whole: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "m.eyespot", {**members(whole), "sound.wav": b"RIFF"})
    assert load(path).classes == ("brick", "grass")


@pytest.mark.parametrize(
    "name",
    [
        "a, b; c",
        "\"quoted\" 'twice'",
        "🦊 fox",
        "a/b\\c",
        "../up",
        "línea\nnueva",
        "\0",
        "null",
    ],
)
def test_strange_class_names_survive(
    name: str, whole: Path, tmp_path: Path, answer: Callable[[Classifier], Answer]
) -> None:
    renamed = load(whole)
    renamed.rename_class("grass", name)
    renamed.save(tmp_path / "strange.eyespot")
    again = load(tmp_path / "strange.eyespot")
    assert again.classes == ("brick", label_of(name))
    assert same(answer(again), answer(renamed))
    assert [path.name for path in tmp_path.iterdir()] == ["strange.eyespot"]


def test_a_name_that_is_no_unicode_survives(whole: Path, tmp_path: Path) -> None:
    """A folder's name in an old encoding reaches Python with surrogates in it."""
    renamed = load(whole)
    renamed.rename_class("grass", "caf\udce9")
    renamed.save(tmp_path / "latin1.eyespot")
    assert load(tmp_path / "latin1.eyespot").classes == ("brick", "caf\\xe9")


def test_forgotten_photos_are_not_in_the_file(tmp_path: Path) -> None:
    photos = [*patches("brick", 4), *patches("grass", 4)]
    forgetful = teach(photos, ["brick"] * 4 + ["grass"] * 4, budget=0, forget_photos=True)
    path = tmp_path / "forgetful.eyespot"
    forgetful.classifier.save(path)
    assert "photos.safetensors" not in members(path)
    again = load(path)
    assert again.training_photos is None
    with pytest.raises(UsageError, match="keeps no features of its photos"):
        again.add_class("gravel", patches("gravel", 2))
    assert again.classes == ("brick", "grass")


# --- damage --------------------------------------------------------------------------------------


def test_a_file_cut_anywhere_is_an_error(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    cut = tmp_path / "cut.eyespot"
    for size in [*range(0, len(content), 1000), len(content) - 1]:
        cut.write_bytes(content[:size])
        with pytest.raises(ClassifierFileError, match="damaged or not an eyespot classifier"):
            load(cut)


def places_to_flip(content: bytes) -> list[int]:
    """Bytes spread over the file, and every byte of the zip's own directory at its end."""
    directory = content.index(b"PK\x01\x02")
    spread = np.linspace(0, directory - 1, FLIPS).astype(int)
    return [*range(60), *spread.tolist(), *range(directory, len(content))]


def test_a_flipped_byte_never_changes_an_answer(
    whole: Path, tmp_path: Path, answer: Callable[[Classifier], Answer]
) -> None:
    """An error of eyespot's own, or the same answer: nothing else may come out."""
    content = bytearray(whole.read_bytes())
    expected = answer(load(whole))
    flipped = tmp_path / "flipped.eyespot"
    changed, refused = [], 0
    rng = np.random.default_rng(0)
    for place in places_to_flip(bytes(content)):
        before = content[place]
        content[place] ^= int(rng.integers(1, 256))
        flipped.write_bytes(content)
        try:
            if not same(answer(load(flipped)), expected):
                changed.append(place)
        except EyespotError:
            refused += 1
        content[place] = before
    assert not changed
    assert refused > FLIPS / 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a complete zip file"),
        (b"holiday", "not a complete zip file"),
        (b"PK\x03\x04", "not a complete zip file"),
        (pickle.dumps({"classes": ["a"]}), "not a complete zip file"),
    ],
)
def test_other_files_are_named_as_such(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.eyespot"
    path.write_bytes(content)
    with pytest.raises(ClassifierFileError, match=words):
        load(path)


class Trap:
    """Unpickling this would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_never_opened(whole: Path, tmp_path: Path) -> None:
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    (tmp_path / "alone.eyespot").write_bytes(trap)
    inside = written(tmp_path / "inside.eyespot", {**members(whole), "head.safetensors": trap})
    for path in (tmp_path / "alone.eyespot", inside):
        with pytest.raises(ClassifierFileError):
            load(path)
    assert not (tmp_path / "sprung").exists()


def test_arrays_of_pickled_objects_are_refused(whole: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap(tmp_path / "sprung")], dtype=object))
    path = written(
        tmp_path / "npy.eyespot", {**members(whole), "head.safetensors": buffer.getvalue()}
    )
    with pytest.raises(ClassifierFileError, match="arrays cannot be read"):
        load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClassifierFileError, match="cannot be read"):
        load(tmp_path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ClassifierFileError, match=r"eyespot teach PHOTOS -o m\.eyespot"):
        load(tmp_path / "m.eyespot")


def test_a_foreign_zip_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "holiday.zip", {"beach.txt": b"sand"})
    with pytest.raises(ClassifierFileError, match=r"manifest\.json is missing"):
        load(path)


@pytest.mark.parametrize("member", ["head.safetensors", "README.md"])
def test_a_missing_member_is_named(member: str, whole: Path, tmp_path: Path) -> None:
    content = members(whole)
    del content[member]
    with pytest.raises(ClassifierFileError, match=f"{member} is missing"):
        load(written(tmp_path / "m.eyespot", content))


def test_a_later_format_asks_for_an_upgrade(whole: Path, tmp_path: Path) -> None:
    path = with_manifest(whole, tmp_path / "m.eyespot", format_version=3)
    with pytest.raises(ClassifierFileError, match=r"format version 3.*pip install --upgrade"):
        load(path)


def test_an_older_format_asks_to_teach_again(whole: Path, tmp_path: Path) -> None:
    path = with_manifest(whole, tmp_path / "m.eyespot", format_version=1)
    with pytest.raises(ClassifierFileError, match=r"older format version 1.*Teach it again"):
        load(path)


@pytest.mark.parametrize("task", [None, "sculpture", ["classification"]])
def test_an_unknown_task_is_an_error(task: object, whole: Path, tmp_path: Path) -> None:
    path = with_manifest(whole, tmp_path / "m.eyespot", task=task)
    with pytest.raises(ClassifierFileError, match="its task is"):
        load(path)


def test_another_format_is_not_a_classifier(whole: Path, tmp_path: Path) -> None:
    path = with_manifest(whole, tmp_path / "m.eyespot", format="spreadsheet")
    with pytest.raises(ClassifierFileError, match="not an eyespot classifier"):
        load(path)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[1]", b"null", b"[" * 100_000])
def test_a_manifest_that_is_no_json_object_is_an_error(
    text: bytes, whole: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "m.eyespot", {**members(whole), "manifest.json": text})
    with pytest.raises(ClassifierFileError):
        load(path)


@pytest.mark.parametrize(
    "odd", [..., None, 7, -1, "x", [], {}, [1, [2]], True, float("nan"), 1e400]
)
@pytest.mark.parametrize(
    "key",
    ["format_version", "classes", "backbone", "preprocessing", "recipe", "scorer", "temperature",
     "ood_threshold", "metrics"],
)  # fmt: skip
def test_a_manifest_of_wrong_types_is_an_error_or_harmless(
    key: str,
    odd: Any,
    whole: Path,
    tmp_path: Path,
    classifier: Classifier,
    probes: NDArray[np.float32],
) -> None:
    """Whatever is accepted must answer with probabilities of the classes that are there."""
    path = with_manifest(whole, tmp_path / "m.eyespot", **{key: odd})
    try:
        odd_one = load(path)
    except EyespotError:
        return
    odd_one._engine = classifier.engine
    probabilities, _ = odd_one.score_features(probes)
    assert probabilities.shape == (PROBES, len(odd_one.classes))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.isfinite(odd_one.ood_threshold)


def test_more_class_names_than_the_head_knows_are_an_error(whole: Path, tmp_path: Path) -> None:
    path = with_manifest(whole, tmp_path / "m.eyespot", classes=["a", "b", "c"])
    with pytest.raises(ClassifierFileError):
        load(path)


def test_a_head_for_other_features_is_an_error(whole: Path, tmp_path: Path) -> None:
    head = {"scorer.weights": np.zeros((3, 2), np.float32), "scorer.bias": np.zeros(2, np.float32)}
    _, _, card = classifier_file.read(whole)
    manifest = json.loads(members(whole)["manifest.json"])
    classifier_file.write(tmp_path / "m.eyespot", manifest, head, None, card)
    with pytest.raises(ClassifierFileError, match="does not fit"):
        load(tmp_path / "m.eyespot").predict(patches("brick", 1)[0])


def test_a_zip_bomb_is_not_unpacked(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = b" " * 60_000_000
    path = written(tmp_path / "bomb.eyespot", {**members(whole), "manifest.json": bomb})
    assert path.stat().st_size < 2_000_000
    with pytest.raises(ClassifierFileError, match=r"manifest\.json claims 60,000,000 bytes"):
        load(path)
    monkeypatch.setattr(classifier_file, "MAX_MEMBER_BYTES", 1000)
    with pytest.raises(ClassifierFileError, match=r"head\.safetensors claims"):
        load(whole)


def test_a_zip_bomb_that_lies_about_its_size_is_not_unpacked(whole: Path, tmp_path: Path) -> None:
    bomb = 60_000_000
    path = written(tmp_path / "b.eyespot", {**members(whole), "manifest.json": b" " * bomb})
    lying = path.read_bytes().replace(bomb.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    path.write_bytes(lying)
    with pytest.raises(ClassifierFileError):
        load(path)


def test_an_encrypted_member_is_an_error(whole: Path, tmp_path: Path) -> None:
    content = bytearray(whole.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    path = tmp_path / "secret.eyespot"
    path.write_bytes(content)
    with pytest.raises(ClassifierFileError, match="cannot be unpacked"):
        load(path)


def test_damaged_photos_are_an_error_when_they_are_needed(whole: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "m.eyespot", {**members(whole), "photos.safetensors": b"nothing"})
    damaged = load(path)  # answering needs no photos
    with pytest.raises(ClassifierFileError):
        damaged.add_class("gravel", patches("gravel", 2))


# --- a disk that is full -------------------------------------------------------------------------

SAVE = """
import resource, signal, sys
from eyespot.tasks.task import load
from eyespot.errors import ClassifierFileError
classifier = load(sys.argv[1])
classifier.rename_class("grass", "meadow")
assert classifier.training_photos
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    classifier.save(sys.argv[1])
except ClassifierFileError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [0, 1000, 100_000])
def test_a_full_disk_leaves_the_old_file(room: int, whole: Path, tmp_path: Path) -> None:
    assert hasattr(signal, "SIGXFSZ")
    assert whole.stat().st_size > room
    path = tmp_path / "m.eyespot"
    path.write_bytes(whole.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", SAVE, str(path), str(room)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written: File too large. The earlier file is unchanged." in done.stdout
    assert path.read_bytes() == whole.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.eyespot"]


def test_with_room_the_same_program_saves(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.eyespot"
    path.write_bytes(whole.read_bytes())
    room = str(resource.RLIM_INFINITY)
    subprocess.run([sys.executable, "-c", SAVE, str(path), room], check=True)
    assert load(path).classes == ("brick", "meadow")


def test_a_folder_that_is_a_file_is_an_error(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClassifierFileError, match="cannot be written"):
        classifier.save(tmp_path / "file" / "m.eyespot")
