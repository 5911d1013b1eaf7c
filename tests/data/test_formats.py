import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eyespot.data.formats import EXTENSIONS, sniff
from eyespot.data.jpeg import ORIENTATION_TAG, read_header, read_orientation
from tests.data.files import encode, picture

STARTS = [b"\xff\xd8", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x20ftypavif", b"BM", b"P6", b"II*\0"]


def exif(order: str, *entries: tuple[int, int]) -> bytes:
    """An EXIF block with short numbers by their tags."""
    body = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(f"{order}HIH", 42, 8, len(entries)) + body


@given(st.binary() | st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary()))
def test_sniffing_knows_any_bytes_or_not(data: bytes) -> None:
    assert sniff(data) in {None, *EXTENSIONS.values()}
    assert sniff(data[:32]) == sniff(data)


@pytest.mark.parametrize(
    "data", [b"", b"P", b"P6", b"P7\n", b"Peas\n", b"hello", b"<svg>", b"RIFF\0\0\0\0WAVE", b"\xff"]
)
def test_other_files_are_no_pictures(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"M4A "])
def test_videos_are_no_pictures(brand: bytes) -> None:
    assert sniff(b"\0\0\0\x18ftyp" + brand + bytes(12)) is None


def test_an_avif_that_calls_itself_mif1() -> None:
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif") == "AVIF"
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIC"


@given(
    order=st.sampled_from("<>"),
    value=st.integers(0, 65535),
    others=st.lists(st.tuples(st.integers(0, ORIENTATION_TAG - 1), st.integers(0, 65535))),
    rest=st.binary(),
)
def test_orientations_are_found_among_other_entries(
    order: str, value: int, others: list[tuple[int, int]], rest: bytes
) -> None:
    data = exif(order, *others, (ORIENTATION_TAG, value)) + rest
    assert read_orientation(data) == (value if 1 <= value <= 8 else 1)


@given(st.binary() | st.builds(bytes.__add__, st.sampled_from([b"II*\0", b"MM\0*"]), st.binary()))
@example(b"II*\0\xff\xff\xff\xff")
@example(b"MM\0*\0\0\0\x08\xff\xff")
@example(b"II")
def test_any_exif_block_has_an_orientation(data: bytes) -> None:
    assert 1 <= read_orientation(data) <= 8


@given(st.data())
def test_cut_exif_blocks_turn_nothing_or_right(data: st.DataObject) -> None:
    whole = exif("<", (256, 9), (ORIENTATION_TAG, 6))
    cut = data.draw(st.integers(0, len(whole)))
    assert read_orientation(whole[:cut]) in (1, 6)


@given(st.binary() | st.binary().map(lambda data: b"\xff\xd8\xff\xe1\0\x08Exif\0\0" + data))
def test_any_jpeg_header_is_read(data: bytes) -> None:
    assert 1 <= read_header(data).orientation <= 8


@given(st.data())
def test_damaged_jpeg_headers_are_read(data: st.DataObject) -> None:
    bytes_ = bytearray(encode(picture(8, 8), "JPEG", exif=b"Exif\0\0" + exif(">", (274, 3))))
    for position in data.draw(st.lists(st.integers(0, 60), max_size=4)):
        bytes_[position] = data.draw(st.integers(0, 255))
    assert 1 <= read_header(bytes(bytes_)).orientation <= 8


@pytest.mark.parametrize("progressive", [False, True])
def test_a_whole_header(progressive: bool) -> None:
    block = b"Exif\0\0" + exif("<", (ORIENTATION_TAG, 8))
    header = read_header(encode(picture(), "JPEG", exif=block, progressive=progressive))
    assert (header.orientation, header.progressive) == (8, progressive)
