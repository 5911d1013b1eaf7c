import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyespot.data.formats import EXTENSIONS, sniff
from eyespot.data.jpeg import read_header
from tests.data.files import encode, sample_image

STARTS = [b"\xff\xd8", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x20ftypavif", b"BM", b"P6", b"II*\0"]


@given(st.binary() | st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary()))
def test_sniffing_knows_any_bytes_or_not(data: bytes) -> None:
    assert sniff(data) in {None, *EXTENSIONS.values()}
    assert sniff(data[:32]) == sniff(data)


@pytest.mark.parametrize(
    "data", [b"", b"P", b"P6", b"P7\n", b"Peas\n", b"hello", b"<svg>", b"RIFF\0\0\0\0WAVE", b"\xff"]
)
def test_other_files_are_not_images(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"M4A "])
def test_videos_are_not_images(brand: bytes) -> None:
    assert sniff(b"\0\0\0\x18ftyp" + brand + bytes(12)) is None


def test_an_avif_that_calls_itself_mif1() -> None:
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif") == "AVIF"
    assert sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIC"


@given(st.binary() | st.binary().map(lambda data: b"\xff\xd8\xff\xe1\0\x08Exif\0\0" + data))
def test_any_jpeg_header_is_read(data: bytes) -> None:
    read_header(data)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("described", [False, True])
def test_a_whole_header(progressive: bool, described: bool) -> None:
    more = {"exif": b"Exif\0\0anything"} if described else {}
    data = encode(sample_image(), "JPEG", progressive=progressive, **more)
    assert read_header(data) == (progressive, described)
