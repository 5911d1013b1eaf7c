"""Weights that belong to one classifier, trained or fine-tuned for it.

The classifier's file contains them. Networks are built from files of weights, so a copy is kept in
the cache, under the sha256 of its content. A lost copy is written again when the classifier is
loaded, and stays readable for processes that have loaded it. Without a writable cache, the copy
lives as long as the process.
"""

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.atomic import write_atomically
from eyespot.errors import CacheError, WeightsError
from eyespot.features.cache_folder import cache_folder, warn_once
from eyespot.shown import reason_of, sentence
from eyespot.weights.store import sha256_of

if TYPE_CHECKING:
    from torch import nn

    from eyespot.features.backbone import Backbone

_unkept: dict[str, bytes] = {}
_kept: dict[str, mmap.mmap] = {}
"""Open copies in the cache, which this process can read even if they are deleted."""


def keep_trained(
    backbone: "Backbone", network: "nn.Module", origin: str, classes: tuple[str, ...] | None = None
) -> str:
    """Keep the weights of a backbone's network that were trained further; their sha256.

    `origin`: how, in words. `classes`: of its head; None: those of ImageNet.
    """
    from eyespot.weights import zoo
    from eyespot.weights.store import Pretrained
    from eyespot.weights.write import packed, state_digest

    state = network.cpu().state_dict()
    digest = state_digest(state)
    known = Pretrained(Path(), "store", backbone.preprocessing, classes, digest)
    source = f"{origin} of {backbone.name} {backbone.sha256[:12]}"
    return keep_own(packed(zoo.find(backbone.name), state, known, source))


def keep_own(content: bytes) -> str:
    """Keep the content of a safetensors file; its sha256."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        path = _file(sha256)
        if not path.is_file():
            write_atomically(path, content)
        if sha256 not in _kept and os.name != "nt":  # where open files cannot be deleted
            with path.open("rb") as file:
                _kept[sha256] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (CacheError, OSError, ValueError) as error:  # ValueError: the copy is empty
        warn_once(sentence(reason_of(error)), " The classifier's network is not cached.")
        _unkept[sha256] = content
    return sha256


@contextlib.contextmanager
def own_file(sha256: str) -> Iterator[Path]:
    """A file of the weights with this digest. Raises WeightsError if they are lost or damaged."""
    path = None if sha256 in _unkept else _file(sha256)
    if path is None or (not path.is_file() and sha256 in _kept):
        with tempfile.TemporaryDirectory(prefix="eyespot-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "own.safetensors"
            path.write_bytes(_unkept.get(sha256) or _kept[sha256])
            yield path
        return
    if not path.is_file() or sha256_of(path) != sha256:
        path.unlink(missing_ok=True)
        raise WeightsError(
            f"The copy of a classifier's network in {path.parent} is lost or damaged. Load the "
            "classifier again to restore it."
        )
    yield path


def _file(sha256: str) -> Path:
    return cache_folder() / "own" / f"{sha256}.safetensors"
