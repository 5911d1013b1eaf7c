import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from eyespot.data import idx as reader
from eyespot.data.idx import read_array, read_idx
from eyespot.data.open import open_photos
from eyespot.errors import DatasetError
from tests.data.files import idx

IMAGES = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
LABELS = np.array([2, 0, 1, 2], dtype=np.uint8)


def write_pair(folder: Path, name: str = "train", ending: str = "", packed: bool = False) -> Path:
    """Images and labels, called as MNIST's files are."""
    for kind, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        data = gzip.compress(idx(array)) if packed else idx(array)
        (folder / f"{name}-{kind}-ubyte{ending}").write_bytes(data)
    return folder / f"{name}-images-idx3-ubyte{ending}"


def write(folder: Path, data: bytes) -> Path:
    (folder / "x-images-idx3-ubyte").write_bytes(data)
    return folder / "x-images-idx3-ubyte"


@pytest.mark.parametrize(("ending", "packed"), [("", False), (".gz", True), ("", True)])
def test_a_pair_of_files(tmp_path: Path, ending: str, packed: bool) -> None:
    found = open_photos(write_pair(tmp_path, ending=ending, packed=packed))
    assert [photo.label for photo in found.photos] == ["2", "0", "1", "2"]
    assert [photo.split for photo in found.photos] == [None] * 4
    assert found.photos[3].name == "train-images-idx3-ubyte#3"
    pixels = [photo.read() for photo in found.photos]
    np.testing.assert_array_equal(np.stack([np.asarray(one) for one in pixels]), IMAGES)


def test_packed_images_may_have_plain_labels(tmp_path: Path) -> None:
    images = write_pair(tmp_path)
    packed = images.with_name(images.name + ".gz")
    packed.write_bytes(gzip.compress(images.read_bytes()))
    images.unlink()
    assert len(read_idx(packed).photos) == 4


def test_a_folder_as_mnist_comes(tmp_path: Path) -> None:
    for name in ("train", "t10k"):
        write_pair(tmp_path, name, ".gz", packed=True)
    found = open_photos(tmp_path)
    assert [photo.split for photo in found.photos] == ["test"] * 4 + ["train"] * 4
    assert len({photo.name for photo in found.photos}) == 8


@pytest.mark.parametrize("names", [["T-shirt", "hat", "shoe"], {"0": "T-shirt", "1": "hat"}])
def test_class_names_from_a_file_beside(tmp_path: Path, names: list[str] | dict[str, str]) -> None:
    (tmp_path / "names.json").write_text(json.dumps(names))
    classes = read_idx(write_pair(tmp_path)).classes
    assert set(classes) == {"T-shirt", "hat", "shoe" if isinstance(names, list) else "2"}


def test_a_damaged_file_of_names_costs_only_the_names(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text("{")
    assert read_idx(write_pair(tmp_path)).classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"\0\0\x09\1" + bytes(8), "not an IDX file of unsigned bytes"),
        (b"\0\0\x08\0", "not an IDX file"),
        (b"\0\0\x08\x05" + bytes(30), "not an IDX file"),
        (b"\x89PNG\r\n\x1a\n", "not an IDX file"),
        (b"\0\0\x08\3\0\0\0\1", "truncated in its header"),
        (idx(IMAGES)[:-1], r"Expected 120 bytes .*\(4, 5, 6\) .* found 119\. Download"),
        (idx(IMAGES)[:16], "found 0"),
        (idx(IMAGES) + b"\0", r"Expected 120 bytes .*found more"),
        (b"\0\0\x08\4" + b"\xff" * 16, "found 0"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_damaged_files(tmp_path: Path, data: bytes, reason: str, packed: bool) -> None:
    if packed and data.endswith(b"\xff" * 16):
        reason = "Unpack it with gunzip first"
    with pytest.raises(DatasetError, match=reason):
        read_array(write(tmp_path, gzip.compress(data) if packed else data))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_gzip_files(tmp_path: Path, share: float) -> None:
    data = gzip.compress(np.random.default_rng(0).bytes(1000) + idx(IMAGES))
    with pytest.raises(DatasetError, match=r"cannot be read|not an IDX"):
        read_array(write(tmp_path, data[: int(len(data) * share)]))


def test_a_gzip_file_with_damage_inside(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(idx(IMAGES)))
    data[-5] ^= 255  # its checksum
    with pytest.raises(DatasetError, match="cannot be read"):
        read_array(write(tmp_path, bytes(data)))


def test_what_would_fill_the_memory_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_IDX_BYTES", 119)
    with pytest.raises(DatasetError, match="unpacks to 120 bytes, the limit is 119"):
        read_array(write(tmp_path, gzip.compress(idx(IMAGES))))
    np.testing.assert_array_equal(read_array(write(tmp_path, idx(IMAGES))), IMAGES)


@pytest.mark.parametrize(
    ("images", "labels"),
    [(IMAGES, LABELS[:3]), (IMAGES[:3], LABELS), (IMAGES[:, 0], LABELS), (IMAGES, IMAGES)],
)
def test_labels_that_do_not_fit(
    tmp_path: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> None:
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx(labels))
    with pytest.raises(DatasetError, match=r"as many labels as images.*has the shape"):
        read_idx(write(tmp_path, idx(images)))


def test_labels_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"Expected the labels of .*x-labels-idx1-ubyte beside"):
        read_idx(write(tmp_path, idx(IMAGES)))


@pytest.mark.parametrize("packed", [False, True])
def test_no_image_at_all(tmp_path: Path, packed: bool) -> None:
    for name, array in (("images-idx3", IMAGES[:0]), ("labels-idx1", LABELS[:0])):
        data = gzip.compress(idx(array)) if packed else idx(array)
        (tmp_path / f"x-{name}-ubyte").write_bytes(data)
    with pytest.raises(DatasetError, match=r"Expected images in .*found none"):
        open_photos(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx")


@given(arrays(np.uint8, array_shapes(max_dims=4, min_side=0)), st.booleans())
def test_every_array_survives_its_way_through_a_file(
    folder: Path, array: NDArray[np.uint8], packed: bool
) -> None:
    data = gzip.compress(idx(array)) if packed else idx(array)
    np.testing.assert_array_equal(read_array(write(folder, data)), array)


def headers() -> st.SearchStrategy[bytes]:
    """Starts of IDX files of plausible and of absurd sizes."""
    side = st.integers(0, 9) | st.integers(0, 2**32 - 1)
    return st.lists(side, max_size=5).map(
        lambda shape: b"\0\0\x08" + struct.pack(f">B{len(shape)}I", len(shape), *shape)
    )


@given(st.binary() | st.builds(bytes.__add__, headers(), st.binary()), st.booleans())
@example(b"\x1f\x8b", False)
@example(b"\0\0\x08\4" + struct.pack(">4I", 2**32 - 1, 2**32 - 1, 2**32 - 1, 0), False)
@example(b"\0\0\x08\4" + struct.pack(">4I", 2**32 - 1, 2**32 - 1, 2**32 - 1, 0), True)
def test_bytes_of_any_kind_are_read_or_refused(folder: Path, data: bytes, packed: bool) -> None:
    file = write(folder, gzip.compress(data) if packed else data)
    try:
        array = read_array(file)
    except DatasetError:
        return
    assert data.startswith(b"\0\0\x08" + struct.pack(f">B{array.ndim}I", array.ndim, *array.shape))
