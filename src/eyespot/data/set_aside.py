"""What systems and programs leave among photos: no class, and no photo."""

from collections import Counter
from collections.abc import Iterable, Sequence

from eyespot.data.finding import Finding
from eyespot.data.photos import printable

Parts = tuple[str, ...]
"""A file's path from the root of a collection: the folders, then the file."""

_LEFT_BY_SYSTEMS = frozenset(
    (
        *("$recycle.bin", "recycler", "system volume information", "found.000", "desktop.ini"),
        *("__macosx", "icon\r", "lost+found", "lost.dir"),
        *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb", "@tmp"),
        *("__pycache__", "node_modules", "thumbnails", "thumbnail"),
    )
)
"""Windows; macOS and Linux; disks in a network; programs. Hidden names stand for themselves."""
_LEFT_BY_PROGRAMS = frozenset(("runs", "thumbs"))
"""Folders that programs write, or classes: where they stand tells."""


def is_set_aside(name: str) -> bool:
    """Whether a file or folder of this name never holds a class's photo; hidden ones never do."""
    return name.startswith(".") or name.casefold() in _LEFT_BY_SYSTEMS


def set_aside(paths: Sequence[Parts]) -> list[str | None]:
    """The file or folder in each path that makes it no photo of the collection, or None.

    `runs` and `thumbs` are classes where they hold photos of their own and stand among folders
    only: YOLO writes runs/detect/train/1.jpg, and thumbnails stand beside photos.
    """
    holding = {parts[:-1] for parts in paths if not is_set_aside(parts[-1])}

    def is_left(parts: Parts, depth: int) -> bool:
        if is_set_aside(parts[depth]):
            return True
        if parts[depth].casefold() not in _LEFT_BY_PROGRAMS or depth == len(parts) - 1:
            return False
        return parts[: depth + 1] not in holding or parts[:depth] in holding

    return [
        next((name for depth, name in enumerate(parts) if is_left(parts, depth)), None)
        for parts in paths
    ]


def passed_over(names: Iterable[str]) -> list[Finding]:
    """One finding that counts what was set aside, by the names that `set_aside` gives."""
    counts = Counter(name for name in names)
    if not counts:
        return []
    files, listed = counts.total(), [f"{printable(name)} ({n:,})" for name, n in counts.items()]
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    doubtful = any(name.casefold() in _LEFT_BY_PROGRAMS for name in counts)
    return [
        Finding(
            "passed over",
            "warning" if doubtful else "note",
            f"Passed over {files:,} {'file' if files == 1 else 'files'}: "
            f"{', '.join(listed[:8])}{more}.",
            "Systems and programs write these. If one of them is a class, give it another name.",
        )
    ]
