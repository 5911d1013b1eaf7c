"""IDX files, the format of MNIST (LeCun, Cortes, Burges 1998): big-endian arrays."""

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.data.folders import list_folder
from eyespot.data.photos import Dataset, MemorySource, Photo, label_of, printable
from eyespot.data.text import read_names
from eyespot.errors import DatasetError
from eyespot.files import is_file, open_file
from eyespot.limits import MAX_IDX_BYTES
from eyespot.shown import sentence


def read_array(path: Path) -> NDArray[np.uint8]:
    """An IDX file of unsigned bytes of up to four dimensions, gzipped or not.

    Raises DatasetError for any other file, a truncated or a too large one.
    """
    try:
        with open_file(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else open_file(path) as file:
            start = file.read(4)
            dimensions = start[3] if len(start) == 4 and start[:3] == b"\0\0\x08" else 0
            if not 1 <= dimensions <= 4:
                raise DatasetError(f"{printable(path)} is not an IDX file of unsigned bytes.")
            sides = file.read(4 * dimensions)
            if len(sides) < 4 * dimensions:
                raise DatasetError(f"{printable(path)} is truncated in its header.")
            shape = struct.unpack(f">{dimensions}I", sides)
            size, offset = math.prod(shape), 4 + 4 * dimensions
            if packed and size > MAX_IDX_BYTES:
                raise DatasetError(
                    f"{printable(path)} unpacks to {size:,} bytes, the limit is "
                    f"{MAX_IDX_BYTES:,}. Unpack it with gunzip first."
                )
            content: bytes | NDArray[np.uint8] = b""
            if packed:
                content = file.read(size + 1)
            elif path.stat().st_size > offset:  # nothing cannot be mapped
                content = np.memmap(path, np.uint8, "r", offset)
            held = len(content)
            if held == size:
                return np.frombuffer(content, dtype=np.uint8).reshape(shape)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DatasetError(f"{printable(path)} cannot be read: {sentence(error)}") from error
    raise DatasetError(
        f"Expected {size:,} bytes for the shape {shape} in {printable(path)}, found "
        f"{'more' if held > size else f'{held:,}'}. Download the file again."
    )


def is_images(path: Path) -> bool:
    """Whether a file has a name as MNIST's images: train-images-idx3-ubyte.gz."""
    name = path.name.lower()
    return "images" in name and ("idx" in name or "ubyte" in name)


def read_idx(path: Path) -> Dataset:
    """A file of images with its labels beside it, or a folder of such pairs.

    In a folder, files named t10k or test are the test split. Class names come from a names.json
    beside the files, if there is one. Raises DatasetError if labels are missing or do not match.
    """
    files = [path]
    if path.is_dir():
        files = [file for file in list_folder(path) if is_images(file) and is_file(file)]
    photos: list[Photo] = []
    for file in files:
        labels_file = _labels_beside(file)
        images, labels = read_array(file), read_array(labels_file)
        if images.ndim < 3 or labels.ndim != 1 or len(images) != len(labels):
            raise DatasetError(
                f"Expected as many labels as images: {printable(file)} has the shape "
                f"{images.shape}, {labels_file.name} {labels.shape}."
            )
        split = None
        if len(files) > 1:
            split = "test" if "t10k" in file.name or "test" in file.name else "train"
        names = read_names(file.parent / "names.json") or []
        stem = printable(file.name.split(".")[0])
        photos += [
            Photo(
                f"{stem}#{number}",
                MemorySource(image),
                label_of(names[label] if label < len(names) else str(label)),
                split,
            )
            for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True))
        ]
    if not photos:
        raise DatasetError(f"Expected images in {printable(path)}, found none.")
    return Dataset(tuple(photos))


def _labels_beside(images: Path) -> Path:
    wanted = re.sub(r"idx\d", "idx1", images.name.replace("images", "labels"))
    for name in (wanted, wanted + ".gz", wanted.removesuffix(".gz")):
        if (images.parent / name).is_file():
            return images.parent / name
    raise DatasetError(f"Expected the labels of {printable(images)} in {wanted} beside it.")
