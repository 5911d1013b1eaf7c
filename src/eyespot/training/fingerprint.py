"""Fingerprint of the photos of a run, so that it is not resumed with others."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from eyespot.data.parquet import ParquetSource
from eyespot.data.photos import FileSource, MemorySource, Photo
from eyespot.data.shards import ShardSource


def fingerprint(*parts: Sequence[Photo]) -> str:
    """Digest of the photos' names, labels, sizes, order and parts.

    No file is opened, so a change that keeps the size is not noticed. Folders may be moved. Photos
    in memory count with their whole content.
    """
    digest, sizes = hashlib.sha256(), dict[Path, int]()
    for number, part in enumerate(parts):
        for photo in part:
            digest.update(repr((number, photo.label, *_marks(photo, sizes))).encode())
    return digest.hexdigest()


def _marks(photo: Photo, sizes: dict[Path, int]) -> tuple[object, ...]:
    """Values that identify a photo. `sizes`: bytes of the files seen so far."""
    match photo.source:
        case ShardSource(shard, offset, size):  # its name has the folder's
            return shard.name, offset, size
        case FileSource(path) | ParquetSource(path=path):
            if path not in sizes:
                try:
                    sizes[path] = path.stat().st_size
                except (OSError, ValueError):  # ValueError: a zero byte in the name
                    sizes[path] = -1
            return photo.name, sizes[path]
        case MemorySource(data):
            content = data if isinstance(data, bytes) else data.tobytes()
            return photo.name, hashlib.sha256(content).digest()
    return (photo.name,)
