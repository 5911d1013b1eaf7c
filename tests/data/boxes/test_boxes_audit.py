from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.data.boxes.entries import Boxes
from eyespot.data.boxes.frame import Frame, frame_of, turned, upright_boxes
from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.data.boxes.problems import PROBLEMS, Problems
from eyespot.data.decode import decode
from eyespot.data.photos import FileSource, MemorySource, Photo
from eyespot.errors import DatasetError, PhotoError, UsageError
from tests.data.boxes.files import CAT, DOG, Box, boxes_of, coco, photo, reasons, told, voc, yolo
from tests.data.files import encode, sample_image

REPOSITORY = Path(__file__).parents[3]
ARRAY = np.zeros((48, 64, 3), np.uint8)


def opened(*boxes: Box):
    return open_boxes([(ARRAY, [box[:4] for box in boxes], [box[4] for box in boxes])])


# --- from Python --------------------------------------------------------------------------------


def test_photos_of_a_program() -> None:
    ignored = np.array([True])
    given = AnnotatedPhoto(
        Photo("a", MemorySource(ARRAY), label="x", split="test", group="g"),
        np.array([CAT[:4]], np.float32),
        ("cat",),
        ignored,
    )
    found = open_boxes([given])
    assert boxes_of(found) == {"a": [CAT]}
    (one,) = found.photos
    assert (one.photo.label, one.photo.split, one.photo.group) == (None, "test", "g")
    assert one.ignored.tolist() == [True]
    assert open_boxes(found) is found
    assert boxes_of(open_boxes([(ARRAY, [CAT[:4]], [7]), (ARRAY, [], [])])) == {
        "photo 0": [(*CAT[:4], "7")],
        "photo 1": [],
    }


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "found 0 photos"),
        ([ARRAY], "item 0"),
        ([(ARRAY, [[1, 2, 3]], ["cat"])], r"boxes \[n, 4\]"),
        ([(ARRAY, [["a", 2, 3, 4]], ["cat"])], r"boxes \[n, 4\]"),
        ([(ARRAY, [[1, 2, 3, 4]], [])], "a label for each of 1"),
        ([(ARRAY, [[1, 2, 3, 4]], [None])], "Expected a label"),
        ([(None, [[1, 2, 3, 4]], ["cat"])], "Photo 0"),
        ([(ARRAY, [], [])], "without any box"),
        (5, "Expected a list"),
    ],
)
def test_other_lists_are_refused(items: object, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        open_boxes(items)  # type: ignore[arg-type]


# --- boxes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "kept", "kind"),
    [
        ((-5, 10, 20, 60), (0, 10, 20, 48), "clipped"),
        ((-0.5, 10, 20, 48.5), (0, 10, 20, 48), None),
        ((70, 10, 90, 20), None, "outside"),
        ((10, 10, 10, 20), None, "empty"),
        ((30, 10, 20, 20), None, "reversed"),
        ((float("nan"), 10, 20, 20), None, "not numbers"),
        ((float("-inf"), 10, float("inf"), 20), None, "not numbers"),
        ((3, 3, 3.3, 9), (3, 3, 3.3, 9), "tiny"),
    ],
)
def test_boxes_are_checked(box: tuple[float, ...], kept: tuple[float, ...], kind: str) -> None:
    found = opened(CAT, (*box, "cat"))  # type: ignore[arg-type]
    assert boxes_of(found)["photo 0"] == [CAT, *([(*kept, "cat")] if kept else [])]
    counted = told(found).get(kind) if kind else "1 box"
    assert counted is not None
    assert counted.startswith("1 box")
    assert set(told(found)) == ({kind} if kind else set())


def test_repeated_boxes() -> None:
    found = opened(CAT, CAT, (*CAT[:4], "dog"), DOG)
    assert boxes_of(found)["photo 0"] == [CAT, (*CAT[:4], "dog"), DOG]
    assert set(told(found)) == {"duplicated", "two labels"}


def test_labels_that_differ_in_case_are_told_and_spaces_are_removed() -> None:
    found = opened(CAT, (*DOG[:4], "Cat"), (1, 1, 9, 9, " cat "))
    assert sorted(found.classes) == ["Cat", "cat"]
    assert "similar names" in told(found)


def test_a_photo_whose_boxes_are_all_lost_is_not_background(tmp_path: Path) -> None:
    for name, boxes in (("1", [CAT]), ("2", [(30, 5, 20, 9, "cat")]), ("3", [])):
        photo(tmp_path / f"{name}.jpg")
        voc(tmp_path / f"{name}.xml", boxes)
    photo(tmp_path / "4.jpg")
    (tmp_path / "4.xml").write_text("<annotation><object><polygon/></object></annotation>")
    found = open_boxes(tmp_path)
    assert list(boxes_of(found)) == ["1.jpg", "3.jpg"]
    assert reasons(found) == dict.fromkeys(("2.jpg", "4.jpg"), "none of its boxes can be used")


def test_ten_thousand_boxes_on_a_photo() -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 4000, (10_000, 2))
    boxes = np.concatenate([start, start + 10], axis=1)
    photo = np.zeros((4100, 4100), np.uint8)
    found = open_boxes([(photo, boxes, ["cat"] * 10_000)])
    assert len(found.photos[0].boxes) > 9_900


def test_a_photo_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    (tmp_path / "2.jpg").write_bytes(b"not a photo")
    coco(tmp_path / "a.json", {"1.jpg": [CAT], "2.jpg": [CAT]})
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"1.jpg": [CAT]}
    assert "not an image" in reasons(found)["2.jpg"]


def test_messages_name_few_photos_and_stay_short(tmp_path: Path) -> None:
    given = [(ARRAY, [CAT[:4], (70, 1, 80, 2)], ["cat", "cat"])] * 100
    message = told(open_boxes(given))["outside"]
    assert message.startswith("100 boxes")
    assert "and 97 more" in message
    assert len(message) < 200


def test_every_problem_is_documented() -> None:
    page = (REPOSITORY / "docs/reference/boxes.md").read_text()
    assert [kind for kind in PROBLEMS if f"| {kind} |" not in page] == []


# --- splits -------------------------------------------------------------------------------------


def test_exact_duplicates_across_splits_are_told(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        for name in ("same", split):
            photo(tmp_path / split / f"{name}.jpg")
            voc(tmp_path / split / f"{name}.xml", [CAT])
    (tmp_path / "valid/same.jpg").write_bytes((tmp_path / "train/same.jpg").read_bytes())
    found = open_boxes(tmp_path)
    (finding,) = [one for one in found.findings if one.kind == "duplicates across splits"]
    assert finding.severity == "error"
    assert finding.photos == ("train/same.jpg", "valid/same.jpg")


def test_augmented_versions_of_a_photo_are_one_group(tmp_path: Path) -> None:
    names = [f"a_jpg.rf.{'0' * 31}{digit}" for digit in "12"] + [f"b_jpg.rf.{'0' * 32}"]
    for name in names:
        photo(tmp_path / f"train/images/{name}.jpg")
        yolo(tmp_path / f"train/labels/{name}.txt", [CAT])
    groups = [one.photo.group for one in open_boxes(tmp_path).photos]
    assert groups == ["train/images/a_jpg", "train/images/a_jpg", None]


# --- orientation --------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_as_the_photo_does(orientation: int) -> None:
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[5:17, 10:40] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = decode(encode(Image.fromarray(stored), "PNG", exif=exif)).pixels
    frame = Frame((64, 48), orientation)
    assert frame.upright == upright.shape[1::-1]
    xmin, ymin, xmax, ymax = turned(np.array([[10.0, 5, 40, 17]]), frame)[0].astype(int)
    assert upright[ymin:ymax, xmin:xmax].min() == 255
    assert upright.astype(bool).sum() == 3 * (xmax - xmin) * (ymax - ymin)


def placed(
    size: tuple[int, int] | None, box: Box, orientation: int
) -> tuple[list[float], set[str]]:
    boxes = Boxes()
    boxes.add(box[:4], box[4])
    problems = Problems()
    entry = boxes.entry(Photo("a", MemorySource(ARRAY)), size)
    found = upright_boxes(entry, Frame((64, 48), orientation), problems)
    return found[0].tolist(), {finding.kind for finding in problems.findings()}


@pytest.mark.parametrize(
    ("size", "box", "orientation", "expected", "kinds"),
    [
        ((64, 48), CAT, 1, CAT[:4], set()),
        ((65, 48), CAT, 1, CAT[:4], set()),
        ((64, 48), CAT, 6, (8, 10, 28, 30), {"turned"}),
        ((48, 64), CAT, 6, CAT[:4], set()),
        (None, CAT, 6, CAT[:4], {"turned perhaps"}),
        (None, (50, 20, 60, 40, "cat"), 6, (8, 50, 28, 60), {"turned"}),
        (None, (10, 50, 20, 60, "cat"), 6, (10, 50, 20, 60), set()),
        ((64, 48), CAT, 3, CAT[:4], {"turned perhaps"}),
        ((128, 96), CAT, 1, (5, 10, 15, 20), {"scaled"}),
        ((128, 96), CAT, 6, (28, 5, 38, 15), {"scaled", "turned"}),
        ((32, 24), (0, 0, 60, 40, "cat"), 1, (0, 0, 60, 40), {"wrong size"}),
        ((10, 40), (0, 0, 60, 40, "cat"), 1, (0, 0, 60, 40), {"wrong size"}),
    ],
)
def test_boxes_are_placed_on_the_upright_photo(
    size: tuple[int, int] | None,
    box: Box,
    orientation: int,
    expected: tuple[float, ...],
    kinds: set[str],
) -> None:
    found, problems = placed(size, box, orientation)
    assert found == list(expected)
    assert problems == kinds


def test_a_photo_of_another_shape_is_refused() -> None:
    with pytest.raises(
        PhotoError, match="annotated at 100 × 100 pixels, but the photo has 64 × 48"
    ):
        placed((100, 100), CAT, 1)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "TIFF"])
def test_sizes_come_from_the_file(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo"
    path.write_bytes(encode(sample_image(), kind, exif=exif))
    upright = decode(path.read_bytes())
    assert frame_of(Photo("a", FileSource(path))).upright == (upright.width, upright.height)


def test_exif_in_files(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg", orientation=6)
    coco(tmp_path / "a.json", {"1.jpg": [CAT]})
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"1.jpg": [(8, 10, 28, 30, "cat")]}
    assert told(found)["turned"].startswith("1 photo whose boxes")


# --- opening ------------------------------------------------------------------------------------


def test_several_formats_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    voc(tmp_path / "1.xml", [CAT])
    file = coco(tmp_path / "a.json", {"1.jpg": [DOG]})
    assert box_format(tmp_path) == "Pascal VOC and COCO"
    with pytest.raises(DatasetError, match=r"found Pascal VOC \(1\.xml\) and COCO \(a\.json\)"):
        open_boxes(tmp_path)
    assert boxes_of(open_boxes(file)) == {"1.jpg": [DOG]}


def test_nothing_of_boxes(tmp_path: Path) -> None:
    photo(tmp_path / "cat/1.jpg")
    assert box_format(tmp_path) is None
    assert box_format(tmp_path / "cat/1.jpg") is None
    assert box_format(tmp_path / "missing") is None
    with pytest.raises(DatasetError, match="found none"):
        open_boxes(tmp_path)
    with pytest.raises(DatasetError, match="Found no file or folder"):
        open_boxes(tmp_path / "missing")
    with pytest.raises(UsageError):
        open_boxes("")


def test_photos_of_classes_are_not_boxes(shared_data: Path) -> None:
    assert box_format(shared_data / "photos/dogs-cats") is None
    assert box_format(shared_data / "flickr8k-400") is None
