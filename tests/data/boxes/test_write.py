from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eyespot.data.boxes.dataset import AnnotatedPhoto, BoxDataset
from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.data.boxes.write import BoxFormat, write_boxes
from eyespot.data.photos import FileSource, MemorySource, Photo, Unreadable
from eyespot.errors import DatasetError, UsageError
from tests.data.boxes.files import CAT, Box, boxes_of, photo

FORMATS: list[tuple[BoxFormat, str]] = [("coco", "COCO"), ("voc", "Pascal VOC"), ("yolo", "YOLO")]


def annotated(one: Photo, boxes: list[Box], ignored: bool = False) -> AnnotatedPhoto:
    corners = np.array([box[:4] for box in boxes], np.float32).reshape(-1, 4)
    labels = tuple(box[4] for box in boxes)
    return AnnotatedPhoto(one, corners, labels, np.full(len(boxes), ignored))


def dataset(root: Path, *, splits: bool) -> BoxDataset:
    """A file that EXIF turns, an array of the same last name, and a photo of background."""
    turned = FileSource(photo(root / "a/1.jpg", orientation=6))  # upright: 48 x 64
    array = MemorySource(np.arange(48 * 64 * 3).reshape(48, 64, 3).astype(np.uint8))
    plain = FileSource(photo(root / "c.jpg"))
    first, second, third = ("train", "val", "test") if splits else (None, None, None)
    cat: Box = (10, 20, 30, 60, "cat")
    odd: Box = (0, 40, 1, 41, "no: 'é\U0001f600")
    return BoxDataset(
        (
            annotated(Photo("a/1.jpg", turned, split=first), [cat, (0, 0, 48, 8, "dog")]),
            annotated(Photo("b/1.jpg", array, split=second), [odd]),
            annotated(Photo("../c: 1", plain, split=third), []),
        )
    )


@pytest.mark.parametrize("splits", [True, False])
@pytest.mark.parametrize(("to", "name"), FORMATS)
def test_round_trip(tmp_path: Path, to: BoxFormat, name: str, splits: bool) -> None:
    given = dataset(tmp_path / "photos", splits=splits)
    assert write_boxes(given, tmp_path / "out", to) == ()
    assert box_format(tmp_path / "out") == name
    found = open_boxes(tmp_path / "out")
    assert found.skipped == ()
    warned = {finding.kind for finding in found.findings if finding.severity != "note"}
    assert warned == ({"turned perhaps"} if to == "yolo" else set())  # YOLO states no sizes
    files = {one.photo.name.rpartition("/")[2]: one for one in found.photos}
    assert set(files) == {"1.jpg", "1-2.png", "c_1.jpg"}
    for one, name in zip(given.photos, ("1.jpg", "1-2.png", "c_1.jpg"), strict=True):
        assert np.allclose(one.boxes, files[name].boxes, atol=1e-3)
        assert one.labels == files[name].labels
        whole = "train" if to == "yolo" else None  # a data.yaml needs a split
        assert files[name].photo.split == (one.photo.split or whole)
    assert files["1.jpg"].photo.read() == given.photos[0].photo.read()


@pytest.mark.parametrize(("to", "kept"), [("coco", True), ("voc", True), ("yolo", False)])
def test_ignored_boxes(tmp_path: Path, to: BoxFormat, kept: bool) -> None:
    one = Photo("1.jpg", FileSource(photo(tmp_path / "1.jpg")))
    two = Photo("2.jpg", FileSource(photo(tmp_path / "2.jpg")))
    given = BoxDataset((annotated(one, [CAT], ignored=True), annotated(two, [CAT])))
    findings = write_boxes(given, tmp_path / "out", to)
    found = open_boxes(tmp_path / "out")
    assert [one.ignored.tolist() for one in found.photos] == [[True] if kept else [], [False]]
    assert [finding.kind for finding in findings] == ([] if kept else ["ignored"])


def test_fractions_become_whole_pixels_in_voc(tmp_path: Path) -> None:
    one = Photo("1.jpg", FileSource(photo(tmp_path / "1.jpg")))
    boxes: list[Box] = [
        (10.4, 20.6, 30, 40, "cat"),
        (63.6, 47.7, 64, 48, "cat"),
        (2, 2, 2.2, 9, "a"),
    ]
    write_boxes(BoxDataset((annotated(one, boxes),)), tmp_path / "out", "voc")
    assert boxes_of(open_boxes(tmp_path / "out"))["JPEGImages/1.jpg"] == [
        (10, 21, 30, 40, "cat"),
        (63, 47, 64, 48, "cat"),
        (2, 2, 3, 9, "a"),
    ]


def test_photos_without_a_split_become_training_photos_beside_others(tmp_path: Path) -> None:
    given = dataset(tmp_path / "photos", splits=True)
    first = given.photos[0]
    bare = replace(first, photo=replace(first.photo, split=None))
    findings = write_boxes(BoxDataset((bare, *given.photos[1:])), tmp_path / "out", "yolo")
    assert [finding.message for finding in findings] == [
        "1 photo without a split written as training photos."
    ]
    splits = [one.photo.split for one in open_boxes(tmp_path / "out").photos]
    assert sorted(map(str, splits)) == ["test", "train", "val"]


def test_nothing_is_left_behind_after_an_error(tmp_path: Path) -> None:
    good = Photo("1.jpg", FileSource(photo(tmp_path / "photos/1.jpg")))
    bad = Photo("2.jpg", Unreadable("gone"))
    given = BoxDataset((annotated(good, [CAT]), annotated(bad, [CAT])))
    with pytest.raises(DatasetError, match=r"2\.jpg: gone\."):
        write_boxes(given, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_other_formats_and_full_folders_are_refused(tmp_path: Path) -> None:
    given = BoxDataset(())
    with pytest.raises(UsageError, match="Expected one of coco, voc, yolo, got 'x'"):
        write_boxes(given, tmp_path / "out", "x")  # type: ignore[arg-type]
    photo(tmp_path / "1.jpg")
    with pytest.raises(UsageError, match="exists already"):
        write_boxes(given, tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        write_boxes(given, tmp_path / "1.jpg")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_boxes(given, tmp_path / "1.jpg/out")


@pytest.mark.parametrize("to", ["coco", "voc", "yolo"])
def test_blood_cells_survive(shared_data: Path, tmp_path: Path, to: BoxFormat) -> None:
    given = open_boxes(shared_data / "bccd")
    given = BoxDataset(given.photos[::20])
    write_boxes(given, tmp_path / "out", to)
    found = open_boxes(tmp_path / "out")
    stems = {one.photo.name.rpartition("/")[2]: one for one in found.photos}
    for one in given.photos:
        other = stems[one.photo.name.rpartition("/")[2]]
        assert np.allclose(one.boxes, other.boxes, atol=0.01)
        assert (one.labels, one.photo.split) == (other.labels, other.photo.split)
