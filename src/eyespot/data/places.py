"""Find the photos that a table's cells name, by path or, as a guess, by the end of the path."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from eyespot.data.excluded import is_excluded
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import printable
from eyespot.data.text import is_there, spellings
from eyespot.limits import MAX_FILES

_UPLOADED = re.compile(r"[0-9a-f]{8}-(.+)")
"""An uploaded file of Label Studio: a prefix before the name."""


class Places:
    """Photos beside a table.

    `root`: the folder's name for messages. `exists`: whether a relative or absolute path is a
    readable photo. `every`: all relative paths, called when a cell's path does not exist.
    """

    def __init__(
        self, root: str, exists: Callable[[str], bool], every: Callable[[], Iterable[str]]
    ) -> None:
        self.root, self.exists = root, exists
        self._every = every

    def exact(self, cell: str) -> str | None:
        """The existing path that a cell names, in any Unicode form, with either slash; or None."""
        return next(filter(self.exists, spellings(cell)), None)

    def likely(self, cell: str) -> str | None:
        """The only path whose folders and name end as those of the cell (a path on another machine,
        an address, or a bare name); None if there is none, or several."""
        for spelling in _spellings(cell):
            parts = tuple(map(_folded, PurePosixPath(spelling).parts))
            found = [
                path
                for path in self._by_name.get(parts[-1] if parts else "", [])
                if _end_alike(parts[:-1], PurePosixPath(path).parts[:-1])
            ]
            if len(found) == 1:
                return found[0]
        return None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Paths by file name, with and without ending."""
        found: dict[str, list[str]] = {}
        for path in self._every():
            name = PurePosixPath(path)
            if name.suffix.lower() in EXTENSIONS:
                for key in {_folded(name.name), _folded(name.stem)}:
                    found.setdefault(key, []).append(path)
        return found


def beside(folder: Path) -> Places:
    """The files in and below a folder, without hidden ones."""

    def every() -> Iterable[str]:
        for here, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not is_excluded(name))
            yield from ((Path(here) / name).relative_to(folder).as_posix() for name in files)

    def exists(path: str) -> bool:
        return is_there(folder / path)

    return Places(printable(folder), exists, lambda: islice(every(), MAX_FILES))


def _spellings(cell: str) -> Iterable[str]:
    """The paths that a cell may mean, the likeliest first."""
    path = unquote(cell.replace("\\", "/"))
    path, _, query = path.partition("?")
    yield query.partition("=")[2] or path  # as /data/local-files/?d=photos/1.jpg
    if uploaded := _UPLOADED.fullmatch(PurePosixPath(path).name):
        yield uploaded[1]


def _folded(part: str) -> str:
    return unicodedata.normalize("NFC", part).casefold()


def _end_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the shorter of two lists of folders is the end of the longer."""
    return all(a == _folded(b) for a, b in zip(reversed(one), reversed(other), strict=False))
