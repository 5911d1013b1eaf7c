"""What programs hand over: the photo, or one sentence that says what is wrong with it."""

import array
import decimal
import enum
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from eyespot.data.decode import decode
from eyespot.data.given import (
    PhotoLike,
    class_name,
    label_texts,
    many,
    named_photos,
    photo_of,
    whole_number,
)
from eyespot.data.open import open_photos
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import DatasetError, EyespotError, PhotoError, UsageError

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
MOST = 400
"""Characters of a message: a sentence or two."""


def encoded() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


def written() -> io.BytesIO:
    """As `image.save(file)` leaves it, at its end."""
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return file


class Pathlike:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded())
    return path


def read(item: object) -> np.ndarray:
    return decode(photo_of(item).read()).pixels


@pytest.mark.parametrize(
    "given",
    [
        str,
        Path,
        Pathlike,
        lambda path: max(os.scandir(path.parent), key=str),
        lambda path: max(os.scandir(os.fsencode(path.parent)), key=str),
        np.str_,
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: written(),
        lambda path: path.open("rb"),
        lambda path: path.open("rb", buffering=0),
        lambda path: Image.open(path),
        lambda path: Photo("p", MemorySource(path.read_bytes())),
        lambda path: PIXELS,
        lambda path: PIXELS.data,
        lambda path: PIXELS[::-1, ::-1][::-1, ::-1],
        lambda path: np.asfortranarray(PIXELS),
        lambda path: np.ma.masked_array(PIXELS),
        lambda path: torch.from_numpy(PIXELS.copy()),
        lambda path: torch.from_numpy(PIXELS / 255).requires_grad_(),
        lambda path: PIXELS / 255,
        lambda path: (PIXELS / 255).astype(">f8"),
        lambda path: (PIXELS / 255).astype(np.longdouble),
    ],
)
def test_one_photo(given: Callable[[Path], Any], path: Path) -> None:
    item = given(path)
    np.testing.assert_array_equal(read(item), PIXELS)
    getattr(item, "close", bool)()


def test_half_precision_comes_near(path: Path) -> None:
    for item in (
        (PIXELS / 255).astype(np.float16),
        torch.from_numpy(PIXELS / 255).to(torch.bfloat16),
    ):
        assert np.abs(read(item).astype(int) - PIXELS).max() <= 1


def test_numbers_of_16_bits_in_any_order_of_bytes() -> None:
    deep = PIXELS.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(deep.astype(">u2")), read(deep))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "got None"),
        (["a.png", "b.png"], "got a list; predict_batch takes many"),
        (("a.png",), "predict_batch"),
        ({"path": "a.png"}, "got a dict"),
        (7, "got a int"),
        (1.5, "got a float"),
        (np.float64(1.5), "got a float64"),
        (object(), "got a object"),
        (np.array(["a.png", "b.png"]), "got a ndarray; predict_batch"),
        (iter(["a.png"]), "predict_batch"),
        ("", "0 characters"),
        ("x" * 1_000_000, "1,000,000 characters"),
        ("https://example.org/cat.jpg", "is a web address"),
        (".", "is a folder"),
        ("no-such.png", "No such file"),
        ("a\0b.png", "null"),
        (b"", "is empty"),
        (b"no image", "not an image"),
        (io.BytesIO(), "is empty"),
        (io.StringIO("text"), "open as text"),
        (np.zeros((2, 8, 6, 3), np.uint8), "array of 2; predict_batch"),
        (torch.zeros(2, 3, 8, 6), "array of 2; predict_batch"),
        (torch.zeros(3, 8, 6), "transpose"),
        (np.zeros((3, 8, 6), np.uint8), "transpose"),
        (torch.full((8, 6, 3), float("nan")), "NaN"),
        (torch.full((8, 6, 3), -2.0), "0..1"),
        (torch.zeros(8, 6, 3, dtype=torch.int64), "int64"),
        (torch.zeros(8, 6, 3, dtype=torch.complex64), "complex64"),
        (torch.zeros(8, 6).to_sparse(), "array cannot be read"),
        (np.full((8, 6), np.nan), "NaN"),
        (np.full((8, 6), np.inf, np.longdouble), "infinite"),
        (np.array(0), "shape"),
        (np.zeros(0, np.uint8), "shape"),
        (np.zeros((0, 6, 3), np.uint8), "shape"),
        (np.zeros((8, 6), object), "object"),
        (np.zeros((8, 6), [("r", "u1"), ("g", "u1")]), "expected uint8"),
        (np.zeros((8, 6), "M8[s]"), "datetime64"),
        (np.ma.masked_equal(PIXELS, PIXELS[0, 0, 0]), "masked"),
        (Image.new("RGB", (0, 0)), "(0, 0, 3)"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:12],
)
def test_what_is_no_photo(given: object, said: str) -> None:
    with pytest.raises(PhotoError) as told:
        read(given)
    assert said in str(told.value)
    assert len(str(told.value)) < MOST


def test_open_files_that_give_nothing(path: Path) -> None:
    class Broken:
        def __init__(self, answer: object) -> None:
            self.answer = answer

        def read(self, size: int) -> object:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    async def waited_for() -> bytes:
        return b""

    closed, text = path.open("rb"), path.open(encoding="utf-8")
    closed.close()
    shut = Image.open(path)
    shut.close()
    cases: list[tuple[object, str]] = [
        (closed, "closed"),
        (text, "as text"),
        (shut, "closed"),
        (Broken(RuntimeError("the cable fell out " * 100)), "cable"),
        (Broken(7), "got a int"),
        (Broken(waited_for()), "got a coroutine"),
    ]
    for given, said in cases:
        with pytest.raises(PhotoError) as told:
            read(given)
        assert said in str(told.value)
        assert len(str(told.value)) < MOST
    text.close()


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "P",
        "RGB",
        "RGBA",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "I",
        "F",
        "LA",
        "PA",
        "La",
        "RGBa",
        "RGBX",
        "I;16",
        "I;16L",
        "I;16B",
        "I;16N",
    ],
)
def test_images_of_every_mode(mode: str) -> None:
    try:
        image = Image.new(mode, (8, 6))
    except ValueError:
        pytest.skip("this Pillow makes no such images")
    try:
        assert read(image).shape == (6, 8, 3)
    except PhotoError as error:
        assert len(str(error)) < MOST  # noqa: PT017 - either will do


def test_a_photo_is_read_from_the_start_each_time(path: Path) -> None:
    with path.open("rb") as file:
        for _ in range(2):
            np.testing.assert_array_equal(read(file), PIXELS)
        assert photo_of(file).name == str(path)


def test_names_of_their_own() -> None:
    photos = named_photos(["a.png", "a.png", b"", "a.png"])
    assert [photo.name for photo in photos] == ["a.png", "a.png (1)", "photo 2", "a.png (3)"]
    with pytest.raises(DatasetError, match=r"Photo 1: expected one photo .* got None"):
        named_photos([b"", None])


def test_lists_of_photos(path: Path) -> None:
    for items in (
        ["a.png", "b.png"],
        ("a.png", "b.png"),
        iter(["a.png", "b.png"]),
        np.array(["a.png", "b.png"]),
    ):
        assert many(items) == ["a.png", "b.png"]
    assert len(many(np.zeros((2, 8, 6, 3)))) == len(many(torch.zeros(2, 8, 6))) == 2
    for wrong in (
        *("a.png", path, b"", bytearray(), memoryview(b""), io.BytesIO(), Image.new("L", (1, 1))),
        *(None, 7, {"a.png": 1}, {"a.png"}, PIXELS, PIXELS[:, :, 0], torch.zeros(8, 6, 3)),
        *(np.array(0), Photo("a", MemorySource(b""))),
    ):
        with pytest.raises(DatasetError, match="Expected a list of photos, got"):
            many(wrong)


class Colour(enum.Enum):
    RED = 1


class Size(enum.StrEnum):
    SMALL = "small"


class Missing:
    """As pandas.NA: it compares with nothing."""

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    __ne__ = __eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "<NA>"


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (["cat", " dog "], ["cat", "dog"]),
        ([b"cat", "dög".encode()], ["cat", "dög"]),
        (np.array(["cat", "dog"]), ["cat", "dog"]),
        (np.array([b"cat", b"dog"]), ["cat", "dog"]),
        (np.array([0, 1]), ["0", "1"]),
        (np.array([0.0, 1.0], np.float32), ["0", "1"]),
        (torch.tensor([0, 1]), ["0", "1"]),
        ([0, 0.5], ["0", "0.5"]),
        ([True, np.bool_(False)], ["True", "False"]),
        ([Colour.RED, Size.SMALL], ["RED", "small"]),
        (iter("ab"), ["a", "b"]),
        ([np.array(3), 4], ["3", "4"]),
    ],
)
def test_labels(labels: object, texts: list[str]) -> None:
    assert label_texts(labels, 2) == texts


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "got none"),
        ("ab", "got a str"),
        (b"ab", "got a bytes"),
        ({"a": 1, "b": 2}, "got a dict"),
        ({"a", "b"}, "got a set"),
        (7, "got a int"),
        (["a"], "got 1"),
        (np.eye(2), "got a ndarray"),
        (["a", None], "label for photo 1, got None"),
        (["a", ""], "got ''"),
        (["a", " "], "got ' '"),
        (["a", float("nan")], "label for photo 1, got nan"),
        (["a", np.float32("nan")], "label for photo 1, got "),
        (["a", Missing()], "label for photo 1, got <NA>"),
        (np.ma.masked_array([1, 2], [False, True]), "label for photo 1, got "),
        ([1, "1"], "one type; 1 and '1' would be one class"),
        ([True, "True"], "one type"),
        ([[1, 0], [0, 1]], "got a list"),
        (["a", ("a", "b")], "got a tuple"),
        (["a", Path("a")], "got a PosixPath"),
        (["a", ["x" * 1000] * 1000], "got a list"),
        (["a", np.zeros((1000, 1000))], "got a ndarray"),
        (["a", decimal.Decimal(1)], "got a Decimal"),
        (["a", 1j], "got a complex"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:20],
)
def test_what_is_no_label(labels: object, said: str) -> None:
    with pytest.raises(DatasetError) as told:
        label_texts(labels, 2)
    assert said in str(told.value)
    assert len(str(told.value)) < MOST


def test_a_list_with_labels_is_a_collection(path: Path) -> None:
    photos: list[PhotoLike] = [PIXELS, path, io.BytesIO(encoded()), torch.zeros(8, 6, 3)]
    dataset = open_photos(photos, torch.tensor([1, 0, 1, 0]))
    assert dataset.classes == ("0", "1")
    assert dataset.photos[0].name == "photo 0"
    with pytest.raises(DatasetError, match="got one path"):
        open_photos(path, ["a"])
    for wrong in (None, 7, path.read_bytes(), {"a.png": "a"}):
        with pytest.raises(EyespotError):
            open_photos(wrong, ["a"])  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, True, 2.0, "5", None, [1], float("nan"), "9" * 999])
def test_a_whole_number(value: object) -> None:
    with pytest.raises(UsageError, match="top is how many, 1 or more; got ") as told:
        whole_number(value, "top is how many")
    assert len(str(told.value)) < MOST
    assert whole_number(np.int64(3), "") == 3


def test_the_name_of_a_class() -> None:
    assert class_name(" cat ") == "cat"
    for wrong in (None, "", " ", ["cat"], np.zeros(2)):
        with pytest.raises(UsageError, match="name for a class"):
            class_name(wrong)


def test_bytes_that_are_not_an_image_in_other_forms() -> None:
    for item in (array.array("B", encoded()), np.frombuffer(encoded(), np.uint8)):
        with pytest.raises(PhotoError):
            read(item)


def test_tables_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": [1, 2]})
    assert many(table.path) == ["a.png", "b.png"]
    assert label_texts(table.label.astype("Int64"), 2) == ["1", "2"]
    assert label_texts(table.path.astype("category"), 2) == ["a.png", "b.png"]
    for missing in (pd.NA, pd.NaT):
        with pytest.raises(DatasetError, match="has no label"):
            label_texts(pd.Series(["a", missing], dtype=object), 2)
    for wrong in (table, table.T):
        with pytest.raises(DatasetError, match="Expected a list of photos"):
            many(wrong)
    with pytest.raises(DatasetError, match="got a DataFrame"):
        label_texts(table, 2)
    for thing, said in ((table.path, "predict_batch"), (pd.NA, "NAType"), (table, "object")):
        with pytest.raises(PhotoError, match=said):
            read(thing)
