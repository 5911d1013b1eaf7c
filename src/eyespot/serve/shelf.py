"""The classifiers that are served, each under the name of its file, which is watched."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eyespot.errors import ClassifierFileError, EyespotError, UsageError
from eyespot.features.usable import expect_usable
from eyespot.serve.about import about
from eyespot.serve.batcher import Batcher
from eyespot.serve.metrics import Metrics
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.task import load

logger = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


def name_of(path: Path) -> str:
    """Under which a classifier is served. Raises UsageError if it would not fit into an address."""
    name = path.stem
    if ":" in name or not name.isprintable():
        raise UsageError(
            f"A classifier is served under the name of its file, and {name!r} cannot be part of an "
            "address: rename the file, without colons and control characters."
        )
    return name


def _stamp(path: Path) -> Stamp | None:
    """What changes with a file's content; None while there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino


class Served:
    """A classifier that answers."""

    def __init__(self, path: Path, classifier: Classifier, batcher: Batcher, stamp: object) -> None:
        self.path, self.name, self.batcher, self.stamp = path, name_of(path), batcher, stamp
        self.requests = 0
        """Under way."""
        self.about = about(self.name, classifier)
        """As JSON."""

    @property
    def classifier(self) -> Classifier:
        return self.batcher.classifier

    def exchange(self, classifier: Classifier) -> None:
        """Answer with another one from now on."""
        text = about(self.name, classifier)
        self.batcher.classifier, self.about = classifier, text


class Shelf:
    """All of them. `waiting`: see Batcher.

    Raises UsageError for two of the same name, and what `classifier.load` raises.
    """

    def __init__(self, files: Sequence[Path], waiting: int, metrics: Metrics) -> None:
        self._served: dict[str, Served] = {}
        self._metrics = metrics
        check_names(files)
        for path in files:
            stamp, classifier = _stamp(path), self._open(path)
            batches = metrics.batches.labels(name_of(path))
            batcher = Batcher(classifier, waiting=waiting, on_batch=batches.observe)
            self._served[name_of(path)] = Served(path, classifier, batcher, stamp)

    def __iter__(self) -> Iterator[Served]:
        return iter(self._served.values())

    def get(self, name: str) -> Served | None:
        return self._served.get(name)

    @property
    def works(self) -> bool:
        return all(served.batcher.works for served in self)

    def refresh(self) -> None:
        """Exchange what has another file now. One that is damaged or gone is told of once, and what
        was there before goes on."""
        for served in self:
            stamp = _stamp(served.path)
            if stamp == served.stamp:
                continue
            served.stamp = stamp
            facts = {"model": served.name, "file": str(served.path)}
            if stamp is None:
                logger.warning("the file is gone", extra={"facts": facts})
                continue
            try:
                served.exchange(self._open(served.path))
            except Exception as error:  # whatever it is, what works goes on
                known = isinstance(error, EyespotError)
                facts["why"] = str(error)
                logger.error("kept the old file", extra={"facts": facts}, exc_info=not known)
                self._metrics.reloads.labels(served.name, "refused").inc()
            else:
                logger.info("reloaded", extra={"facts": facts})
                self._metrics.reloads.labels(served.name, "done").inc()

    def close(self) -> None:
        """Answer what is under way, then end."""
        for served in self:
            served.batcher.close()

    def _open(self, path: Path) -> Classifier:
        """A classifier that has answered once, so that the first request need not wait, and that a
        damaged head shows here. Its photos are in memory, since the file may go, or become another
        one, before the first explanation needs them."""
        stamp = _stamp(path)
        classifier = load(path)
        _ = classifier.training_photos
        if _stamp(path) != stamp:
            raise ClassifierFileError(f"{path} was changed while it was read. Read it once more.")
        for other in self:
            if other.classifier.backbone == classifier.backbone:
                classifier.engine = other.classifier.engine  # one network in memory is enough
        size, engine = classifier.backbone.preprocessing.size, classifier.engine
        for count in (1, engine.batch):
            grey = np.full((count, size, size, 3), 128, np.uint8)
            features = expect_usable(engine.run(grey), path.name)
            classifier.predict_features([path.name] * count, features)
        return classifier


def check_names(files: Sequence[Path]) -> None:
    """Raises UsageError if two files would be served under one name."""
    names = [name_of(path) for path in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two files are called {twice}: classifiers are served under the names of their files. "
            "Rename one."
        )
