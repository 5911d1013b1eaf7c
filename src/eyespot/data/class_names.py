"""Class names by number, from a JSON file beside the photos."""

import json
from pathlib import Path

from eyespot.data.photos import natural
from eyespot.files import read_file
from eyespot.limits import MAX_NAMES_BYTES


def read_names(file: Path) -> list[str] | None:
    """A JSON list of class names, or an object from number to name; None for anything else."""
    try:
        names = json.loads(read_file(file, MAX_NAMES_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(names, dict):
        if not names or set(names) != {str(number) for number in range(len(names))}:
            return None
        names = [names[key] for key in sorted(names, key=natural)]
    return [str(name) for name in names] if isinstance(names, list) else None
