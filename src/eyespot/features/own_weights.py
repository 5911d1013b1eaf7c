"""Weights that belong to one classifier, trained or fine-tuned for it.

They travel in the classifier's file. What builds networks reads weights from files, so a copy is
kept in the cache, under the sha256 of its content: one that is lost is written again when the
classifier is loaded. Where the cache cannot be written, the copy lives as long as the process.
"""

import contextlib
import hashlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from eyespot.atomic import write_atomically
from eyespot.errors import CacheError, WeightsError
from eyespot.features.cache import cache_folder
from eyespot.models.weights import sha256_of

logger = logging.getLogger(__name__)

_unkept: dict[str, bytes] = {}


def keep_own(content: bytes) -> str:
    """Keep a safetensors file; its sha256."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        path = _file(sha256)
        if not path.is_file():
            write_atomically(path, content)
    except (CacheError, OSError) as error:
        logger.warning("The classifier's network is not kept in the cache. %s", error)
        _unkept[sha256] = content
    return sha256


@contextlib.contextmanager
def own_file(sha256: str) -> Iterator[Path]:
    """The weights with this digest. Raises WeightsError if they are lost or damaged."""
    if sha256 in _unkept:
        with tempfile.TemporaryDirectory(prefix="eyespot-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "own.safetensors"
            path.write_bytes(_unkept[sha256])
            yield path
        return
    path = _file(sha256)
    if not path.is_file() or sha256_of(path) != sha256:
        path.unlink(missing_ok=True)
        raise WeightsError(
            f"The copy of a classifier's network in {path.parent} is lost or damaged. Load the "
            "classifier once more, which writes it again."
        )
    yield path


def _file(sha256: str) -> Path:
    return cache_folder() / "own" / f"{sha256}.safetensors"
