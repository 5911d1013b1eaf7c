"""Where a person's caches and data are kept, by the customs of the system."""

import os
from pathlib import Path

import platformdirs

NOWHERE = Path(os.devnull) / "eyespot"
"""Stands for a folder that cannot be: nothing is found in it, and it cannot be made."""


def user_folder(variable: str, inside: str = "") -> Path:
    """The folder that an environment variable names, or the folder `inside` the system's for a
    person's data; the one for caches if `inside` is empty.

    A person without a home (a container's user without an entry in passwd, and without HOME) has
    none: NOWHERE, as if the folder could not be made.
    """
    named = os.environ.get(variable)
    if named:
        return Path(named)
    find = platformdirs.user_data_dir if inside else platformdirs.user_cache_dir
    try:
        return Path(find("eyespot")) / inside
    except RuntimeError:  # Path.home() raises it
        return NOWHERE


def cannot_be_made(what: str, folder: Path, error: OSError) -> str:
    """The sentence that says why there is no folder of that kind."""
    if folder.is_relative_to(NOWHERE):
        return f"This user has no home, and so no {what} folder."
    return f"The {what} folder {folder} cannot be made ({error.strerror})."
