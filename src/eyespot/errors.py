"""Every error eyespot raises on purpose.

A message says three things: what was expected, what came instead, and what to do next.
The command line and the web pages show the message alone, never a traceback.
"""


class EyespotError(Exception):
    """Root of the tree: catch this to catch everything eyespot raises on purpose."""


class UsageError(EyespotError):
    """The request itself makes no sense (an unknown option value, a missing argument)."""


class PhotoError(EyespotError):
    """One photo cannot be used. The message is the reason, short enough for a table cell."""


class DatasetError(EyespotError):
    """A collection of photos cannot be used as a whole (no photo, a single class, ...)."""


class WeightsError(EyespotError):
    """The weights of a network are missing, damaged or belong to another network."""


class CacheError(EyespotError):
    """The feature cache cannot be read or written."""


class ConversionError(EyespotError):
    """A network cannot be converted for an engine, or the engine computes other features."""


class ClassifierFileError(EyespotError):
    """A `.eyespot` file is damaged, foreign, or written by a newer eyespot."""


class MissingExtraError(EyespotError):
    """An optional part is not installed; the message names the extra to install."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional part that is not installed. "
            f'Install it with: pip install "eyespot[{extra}]"'
        )
        self.extra = extra


class ExportError(EyespotError):
    """A classifier cannot be exported: the file would be too large, or answers otherwise."""


class TrainingError(EyespotError):
    """A network cannot be trained any further: a loss that is no number, no room for its state."""


class NonFiniteError(TrainingError):
    """A loss is infinite or no number."""


class ProjectError(EyespotError):
    """The studio's projects cannot be read or written (a full disk, a damaged file)."""


class MissingError(EyespotError):
    """What was asked for is not there, or not there any more."""


class Stopped(EyespotError):
    """Work that was told to end before it was done."""
