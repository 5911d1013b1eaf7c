"""The served models, each under the name of its file, reloaded when the file changes."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from eyespot.errors import ClassifierFileError, EyespotError, UsageError
from eyespot.serve.about import about
from eyespot.serve.batcher import Batcher
from eyespot.serve.decoders import Decoders
from eyespot.serve.metrics import Metrics
from eyespot.tasks.protocol import Task
from eyespot.tasks.task import load

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


def name_of(path: Path) -> str:
    """The name of a served classifier. Raises UsageError if a URL cannot hold it."""
    name = path.stem
    if ":" in name or not name.isprintable():
        raise UsageError(
            f"The file name becomes the classifier's name in the URL, and {name!r} cannot be part "
            "of a URL. Rename the file, without colons and control characters."
        )
    return name


def _stamp(path: Path) -> Stamp | None:
    """Modification time, size and inode of a file; None if it is missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Served:
    """A served model."""

    def __init__(self, path: Path, model: Task, batcher: Batcher, stamp: object) -> None:
        self.path, self.name, self.batcher, self.stamp = path, name_of(path), batcher, stamp
        self.requests = 0
        """In progress."""
        self.about = about(self.name, model)
        """Its description as JSON."""

    @property
    def model(self) -> Task:
        return self.batcher.model

    def exchange(self, model: Task) -> None:
        """Use another model from now on."""
        text = about(self.name, model)
        self.batcher.model, self.about = model, text


class Shelf:
    """All served classifiers. `decoders`, `waiting`: see Batcher.

    Raises UsageError for two of the same name, and what `classifier.load` raises.
    """

    def __init__(
        self, files: Sequence[Path], decoders: Decoders, waiting: int, metrics: Metrics
    ) -> None:
        self._served: dict[str, Served] = {}
        self._metrics = metrics
        check_names(files)
        for path in files:
            stamp, model = _stamp(path), self._open(path)
            batches = metrics.batches.labels(name_of(path))
            batcher = Batcher(model, decoders, waiting=waiting, on_batch=batches.observe)
            self._served[name_of(path)] = Served(path, model, batcher, stamp)

    def __iter__(self) -> Iterator[Served]:
        return iter(self._served.values())

    def get(self, name: str) -> Served | None:
        return self._served.get(name)

    @property
    def works(self) -> bool:
        return all(served.batcher.works for served in self)

    def refresh(self) -> None:
        """Reload the classifiers whose files changed. A damaged or missing file is logged once, and
        the loaded classifier stays."""
        for served in self:
            stamp = _stamp(served.path)
            if stamp == served.stamp:
                continue
            served.stamp = stamp
            facts = {"model": served.name, "file": str(served.path)}
            if stamp is None:
                logger.warning("file missing", extra={"facts": facts})
                continue
            try:
                served.exchange(self._open(served.path))
            except Exception as error:  # the loaded classifier stays, whatever the error
                known = isinstance(error, EyespotError)
                facts["why"] = str(error)
                logger.error("reload failed", extra={"facts": facts}, exc_info=not known)
                self._metrics.reloads.labels(served.name, "refused").inc()
            else:
                logger.info("reloaded", extra={"facts": facts})
                self._metrics.reloads.labels(served.name, "done").inc()

    def close(self) -> None:
        """Classify the decoded photos, then end the threads."""
        for served in self:
            served.batcher.close()

    def _open(self, path: Path) -> Task:
        """A model after one prediction, so that the first request is fast and a damaged model is
        found here. It is wholly in memory, since the file may change before it is needed."""
        stamp = _stamp(path)
        model: Task = load(path)
        model.warm_up(path.name, [other.model for other in self])
        if _stamp(path) != stamp:
            raise ClassifierFileError(f"{path} changed while it was read. Read it again.")
        return model


def check_names(files: Sequence[Path]) -> None:
    """Raises UsageError if two files have the same name."""
    names = [name_of(path) for path in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two files are called {twice}, and the file name becomes the classifier's name. "
            "Rename one."
        )
