"""IDX files, the format that MNIST came in (LeCun, Cortes, Burges 1998): big-endian arrays."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.data.photos import Dataset, MemorySource, Photo
from eyespot.errors import DatasetError

MAX_BYTES = 2_000_000_000


def read_array(path: Path) -> NDArray[np.uint8]:
    """An IDX file of unsigned bytes, gzipped or not. Raises DatasetError if it is not one."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read: {error}.") from error
    if len(content) > MAX_BYTES:
        raise DatasetError(f"{path} holds more than {MAX_BYTES:,} bytes.")
    if len(content) < 4 or content[:3] != b"\0\0\x08" or not 1 <= content[3] <= 3:
        raise DatasetError(f"{path} is not an IDX file of unsigned bytes.")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DatasetError(f"{path} is cut off in its header.")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise DatasetError(
            f"{path} should hold {expected:,} bytes for the shape {shape}, "
            f"it holds {len(content):,}."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def is_images(path: Path) -> bool:
    """By its name, as MNIST's files are called."""
    return "idx3" in path.name and "images" in path.name


def read_idx(path: Path) -> Dataset:
    """A file of images with its labels beside it, or a folder of such pairs.

    Files called t10k or test are the test split. Raises DatasetError if labels are missing.
    """
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if is_images(p))
    photos: list[Photo] = []
    for file in files:
        labels_file = file.with_name(file.name.replace("images", "labels").replace("idx3", "idx1"))
        if not labels_file.exists() or labels_file == file:
            raise DatasetError(f"Expected the labels of {file} in {labels_file.name} beside it.")
        images, labels = read_array(file), read_array(labels_file)
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise DatasetError(
                f"{file} has the shape {images.shape}, its labels {labels.shape}: expected as "
                "many labels as pictures."
            )
        split = None
        if len(files) > 1:
            split = "test" if "t10k" in file.name or "test" in file.name else "train"
        stem = file.name.split(".")[0]
        photos += [
            Photo(f"{stem}#{number}", MemorySource(image), str(label), split)
            for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True))
        ]
    return Dataset(tuple(photos))
