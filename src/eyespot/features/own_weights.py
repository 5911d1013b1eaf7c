"""Weights that belong to one classifier, trained or fine-tuned for it.

They travel in the classifier's file. What builds networks reads weights from files, so a copy is
kept in the cache, under the sha256 of its content: one that is lost is written again when the
classifier is loaded.
"""

import hashlib
from pathlib import Path

from eyespot.atomic import write_atomically
from eyespot.errors import CacheError, WeightsError
from eyespot.features.cache import cache_folder
from eyespot.models.weights import sha256_of


def keep_own(content: bytes) -> str:
    """Keep a safetensors file; its sha256. Raises CacheError if the disk refuses."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _file(sha256)
    if not path.is_file():
        try:
            write_atomically(path, content)
        except OSError as error:
            raise CacheError(
                f"The classifier's network cannot be kept in {path.parent} ({error.strerror}). "
                "Make room there, or set EYESPOT_CACHE to another folder."
            ) from error
    return sha256


def find_own(sha256: str) -> Path:
    """The copy of the weights with this digest. Raises WeightsError if it is lost or damaged."""
    path = _file(sha256)
    if path.is_file() and sha256_of(path) == sha256:
        return path
    path.unlink(missing_ok=True)
    raise WeightsError(
        f"The copy of a classifier's network in {path.parent} is lost or damaged. Load the "
        "classifier once more, which writes it again."
    )


def _file(sha256: str) -> Path:
    return cache_folder() / "own" / f"{sha256}.safetensors"
