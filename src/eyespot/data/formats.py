"""Image formats, by a file's content and by its name."""

import zipfile
import zlib
from pathlib import Path

from eyespot.files import open_file

_ENDINGS = {
    "JPEG": ".jpg .jpeg .jpe .jfif",
    "PNG": ".png .apng",
    "WebP": ".webp",
    "BMP": ".bmp .dib",
    "TIFF": ".tif .tiff",
    "GIF": ".gif",
    "HEIC": ".heic .heif",
    "AVIF": ".avif",
    "PPM": ".ppm .pgm .pbm .pnm",
    "JPEG 2000": ".jp2",
    "ICO": ".ico",
}
EXTENSIONS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
"""The format by a file's ending."""

RAW_EXTENSIONS = frozenset(
    """
    .3fr .arw .cr2 .cr3 .dcr .dng .erf .kdc .mrw .nef .nrw .orf .pef .raf .raw .rw2 .srw .x3f
    """.split()  # noqa: SIM905
)
"""Raw formats of cameras. Many are TIFFs whose small preview must not pass as the photo."""

OTHER_EXTENSIONS = frozenset(
    """
    .7z .avi .bat .bin .c .cfg .cpp .css .csv .dat .db .doc .docx .exe .eyespot .gz .h5 .hdf5
    .htm .html .ini .ipynb .jar .java .js .json .jsonl .key .lnk .lock .log .m .mat .md .mkv
    .mov .mp3 .mp4 .npy .npz .ods .odt .onnx .pages .parquet .pdf .pkl .ppt .pptx .pt .pth .py
    .pyc .r .rar .rst .rtf .safetensors .sh .sql .sqlite .tar .tgz .toml .torrent .tsv .txt
    .url .wav .webm .xls .xlsx .xml .xmp .yaml .yml .zip
    """.split()  # noqa: SIM905
)
"""Endings of files that may lie beside the photos and are not images."""

_STARTS = {
    "JPEG": (b"\xff\xd8",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "ICO": (b"\0\0\1\0",),
}
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def sniff(data: bytes) -> str | None:
    """The image format by a file's first 32 bytes, or None."""
    for kind, starts in _STARTS.items():
        if data.startswith(starts):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":  # ISO/IEC 14496-12: brand, version, compatible brands
        if data[8:12] in (b"avif", b"avis") or b"avif" in data[16:32]:
            return "AVIF"
        return "HEIC" if data[8:12] in _HEIC_BRANDS else None
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3] in b" \t\r\n" and data[2:3]:
        return "PPM"
    return None


def sniff_file(path: Path) -> str | None:
    """As `sniff`, of a file. Raises OSError."""
    with open_file(path) as file:
        return sniff(file.read(32))


def other_content(data: bytes) -> str:
    """What a file that is not an image holds, in brackets; "" if unknown."""
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return " (it is a web page)"
    if start.startswith(b"%pdf"):
        return " (it is a PDF)"
    if start.startswith((b"<svg", b"<?xml")):
        return " (it is SVG or XML)"
    if data[4:8] == b"ftyp":
        return " (it is a video)"
    if not data.strip(b"\0"):
        return " (it holds only zeros)"
    return ""


ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
"""The exceptions that reading a damaged, encrypted or unusual zip file raises."""


def zip_member(name: str) -> zipfile.ZipInfo:
    """A zip member of 1980. The current date may be outside 1980-2107, the range of zip files: a
    board without a battery starts in 1970."""
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o600 << 16  # readable by the owner when unpacked
    return member
