"""Recognize folders and files that operating systems and programs leave among photos."""

from collections import Counter
from collections.abc import Iterable, Sequence

from eyespot.data.finding import Finding
from eyespot.data.photos import printable
from eyespot.shown import counted, listed

PathParts = tuple[str, ...]
"""A path from the root of a dataset: the folders, then the file."""

_LEFT_BY_SYSTEMS = frozenset(
    (
        *("$recycle.bin", "recycler", "system volume information", "found.000", "desktop.ini"),
        *("__macosx", "icon\r", "lost+found", "lost.dir"),
        *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb", "@tmp"),
        *("__pycache__", "node_modules", "thumbnails", "thumbnail"),
    )
)
"""Of Windows; macOS and Linux; network storage; programs. Hidden names also count."""
_LEFT_BY_PROGRAMS = frozenset(("runs", "thumbs"))
"""Names of folders that programs write, or of classes, depending on their place."""


def is_excluded(name: str) -> bool:
    """Whether a file or folder of this name, such as a hidden one, never holds a class's photo."""
    return name.startswith(".") or name.casefold() in _LEFT_BY_SYSTEMS


def excluded_by(paths: Sequence[PathParts]) -> list[str | None]:
    """The file or folder that excludes each path from the dataset, or None.

    `runs` and `thumbs` are classes if they directly hold photos and only folders are next to them:
    YOLO writes runs/detect/train/1.jpg, and folders of thumbnails are next to photos.
    """
    holding = {parts[:-1] for parts in paths if not is_excluded(parts[-1])}

    def is_left(parts: PathParts, depth: int) -> bool:
        if is_excluded(parts[depth]):
            return True
        if parts[depth].casefold() not in _LEFT_BY_PROGRAMS or depth == len(parts) - 1:
            return False
        return parts[: depth + 1] not in holding or parts[:depth] in holding

    return [
        next((name for depth, name in enumerate(parts) if is_left(parts, depth)), None)
        for parts in paths
    ]


def exclusion_finding(names: Iterable[str]) -> list[Finding]:
    """A finding that counts excluded files by the names that `excluded_by` gives."""
    counts = Counter(names)
    if not counts:
        return []
    named = listed(f"{printable(name)} ({n:,})" for name, n in counts.items())
    doubtful = any(name.casefold() in _LEFT_BY_PROGRAMS for name in counts)
    message = f"Excluded {counted(counts.total(), 'file')}: {named}."
    advice = "Operating systems and programs write these. If one of them is a class, rename it."
    return [Finding("excluded files", "warning" if doubtful else "note", message, advice)]
