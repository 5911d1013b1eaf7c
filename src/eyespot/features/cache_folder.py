"""The folder for everything that can be computed again."""

import logging
import shutil
from pathlib import Path

from eyespot.errors import CacheError
from eyespot.user_folders import cannot_be_made, user_folder

logger = logging.getLogger(__name__)

DATABASE = "features.sqlite3"
OTHERS = ("networks", "own", "npm", "imagenet", "speeds.json")
"""Besides the features: converted networks, classifiers' own weights, ONNX Runtime for pages,
answers on ImageNet, measured speeds. Other files in the folder do not belong to eyespot."""

_given: set[str] = set()


def folder_path() -> Path:
    """The folder, which may not exist: EYESPOT_CACHE, or the platform's cache folder."""
    return user_folder("EYESPOT_CACHE")


def cache_folder() -> Path:
    """The folder, made if missing. Raises CacheError if it cannot be made."""
    folder = folder_path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = cannot_be_made("cache", folder, error)
        raise CacheError(f"{why} Set EYESPOT_CACHE to a folder that can be written.") from error
    return folder


def warn_once(reason: str, effect: str = "") -> None:
    """Log why a cache is not used, each reason once: features and engines share the folder."""
    if reason not in _given:
        _given.add(reason)
        logger.warning("%s%s", reason, effect)


def other_bytes() -> int:
    """Bytes on disk of everything besides the features."""
    files = (file for path in _others() for file in (path, *path.rglob("*")))
    return sum(file.lstat().st_size for file in files if file.is_file())


def clear_others() -> None:
    """Delete everything besides the features; links are not followed.

    Raises CacheError if that is not possible.
    """
    for path in _others():
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise CacheError(
                f"{path} cannot be deleted: {error.strerror or error}. Close other eyespots and "
                "try again, or delete it."
            ) from error


def _others() -> list[Path]:
    paths = [folder_path() / name for name in OTHERS]
    return [path for path in paths if path.is_symlink() or path.exists()]
