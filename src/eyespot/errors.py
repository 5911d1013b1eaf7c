"""The errors that eyespot raises on purpose.

A message says what was expected, what was found, and what to do.
The command line and the web pages show the message without a traceback.
"""


class EyespotError(Exception):
    """Base class of all errors that eyespot raises on purpose."""


class UsageError(EyespotError):
    """The request is invalid (an unknown value of an option, a missing argument)."""


class PhotoError(EyespotError):
    """One photo cannot be used. The message is the reason and fits in a table cell."""


class DatasetError(EyespotError):
    """A dataset cannot be used (no photo, a single class, ...)."""


class WeightsError(EyespotError):
    """The weights of a network are missing, damaged or belong to another network."""


class CacheError(EyespotError):
    """The feature cache cannot be read or written."""


class ConversionError(EyespotError):
    """A network cannot be converted for an engine, or the engine's features differ."""


class ClassifierFileError(EyespotError):
    """A `.eyespot` file is damaged, of another format, or written by a newer eyespot."""


class MissingExtraError(EyespotError):
    """An optional dependency is not installed; the message names the extra to install."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional dependency that is not installed. "
            f'Install it with: pip install "eyespot[{extra}]"'
        )
        self.extra = extra


class ExportError(EyespotError):
    """A classifier cannot be exported: the file is too large, or its predictions differ."""


class TrainingError(EyespotError):
    """Training cannot continue: the loss is NaN or Inf, or no space is left for checkpoints."""


class NonFiniteError(TrainingError):
    """The loss is NaN or Inf."""


class ProjectError(EyespotError):
    """The studio's projects cannot be read or written (a full disk, a damaged file)."""


class MissingError(EyespotError):
    """A requested item does not exist, or does not exist any more."""


class Stopped(EyespotError):
    """The work was cancelled."""
