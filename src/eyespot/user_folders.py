"""The folders for a user's caches and data, as the operating system defines them."""

import os
from pathlib import Path

import platformdirs

NOWHERE = Path(os.devnull) / "eyespot"
"""A folder that does not exist and cannot be created."""


def user_folder(variable: str, inside: str = "") -> Path:
    """The folder that the environment variable `variable` names. Default: the folder `inside` the
    user's data folder, or the user's cache folder if `inside` is empty.

    NOWHERE for a user without a home (in a container, without a passwd entry and without HOME).
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
    """The sentence that says why a folder cannot be created."""
    if folder.is_relative_to(NOWHERE):
        return f"This user has no home folder, so no {what} folder."
    return f"The {what} folder {folder} cannot be created ({error.strerror})."
