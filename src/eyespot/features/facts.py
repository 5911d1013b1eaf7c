"""What can be found out about the networks of the zoo, kept in the cache folder as JSON."""

import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from importlib import resources
from typing import Any
from zlib import crc32

from eyespot.atomic import write_atomically
from eyespot.errors import CacheError
from eyespot.features.cache import cache_folder


def totals_of(
    names: Iterable[str], progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, dict[str, int]]:
    """`parameters`, `macs` and `memory` of each network (see `models.anatomy.Totals`).

    Taking all networks apart needs torch and seconds, so what was found is kept for as long as
    their code stays as it is. Raises UsageError for an unknown name.
    """
    key = f"{_code():08x}"
    known: dict[str, dict[str, int]] = recall("zoo").get(key, {})
    missing = [name for name in names if name not in known]
    if missing:
        from eyespot.models.anatomy import dissect
        from eyespot.weights.zoo import find

        for done, name in enumerate(missing):
            progress(done, len(missing))
            known[name] = asdict(dissect(find(name))[1])
        keep("zoo", {key: known})
    return {name: known[name] for name in names}


def _code() -> int:
    """Checksum of all code that the networks are built from; 0.2 MB take a millisecond."""
    checksum = 0
    for file in sorted(resources.files("eyespot.models").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            checksum = crc32(file.read_bytes(), checksum)
    return checksum


def recall(what: str) -> dict[str, Any]:
    """What was kept as `what`; nothing if it is not there or damaged."""
    try:
        kept = json.loads((cache_folder() / f"{what}.json").read_text("utf-8"))
    except (OSError, ValueError, CacheError):
        return {}
    return kept if isinstance(kept, dict) else {}


def keep(what: str, facts: dict[str, Any]) -> None:
    """Keep `facts` as `what`, if there is room; it can be found out again."""
    with contextlib.suppress(OSError, CacheError):
        write_atomically(cache_folder() / f"{what}.json", json.dumps(facts).encode())
