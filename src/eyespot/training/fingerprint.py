"""What photos a run was begun with, so that it does not go on with others."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from eyespot.data.parquet import ParquetSource
from eyespot.data.photos import FileSource, MemorySource, Photo
from eyespot.data.shards import ShardSource


def fingerprint(*parts: Sequence[Photo]) -> str:
    """A digest of the photos' names, labels and sizes, in their order, and of who is in which part.

    No file is opened: one that was changed and has as many bytes as before goes unnoticed. Folders
    may be moved; what is in memory counts as a whole.
    """
    digest, sizes = hashlib.sha256(), dict[Path, int]()
    for number, part in enumerate(parts):
        for photo in part:
            digest.update(repr((number, photo.label, *_marks(photo, sizes))).encode())
    return digest.hexdigest()


def _marks(photo: Photo, sizes: dict[Path, int]) -> tuple[object, ...]:
    """What tells a photo from others. `sizes`: of files that were asked already, in bytes."""
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
