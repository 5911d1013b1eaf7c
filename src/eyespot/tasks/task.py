"""Tasks: the table of them, what each offers, and `load`.

A new task is a new folder and one row in `TASKS`.
"""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from eyespot.data.given import path_of
from eyespot.models.catalogue import NETWORKS
from eyespot.shown import shown
from eyespot.tasks.file import damaged, task_of

if TYPE_CHECKING:
    from eyespot.tasks.classification.classifier import Classifier

TASKS = {"classification": "eyespot.tasks.classification.classifier.Classifier"}
"""The type that each task's files are loaded as, by the task's name in the manifest."""


class Task(Protocol):
    """What the type of a task offers."""

    def predict(self, photo: Any) -> Any: ...

    def predict_batch(self, photos: Iterable[Any]) -> Iterator[Any]: ...

    def evaluate(self, photos: Any, labels: Iterable[Any] | None = None) -> Any: ...

    def explain(self, photo: Any) -> Any: ...

    def export(self, to: str, path: str | Path) -> Any: ...

    def save(self, path: str | Path) -> None: ...

    @classmethod
    def load(cls, path: str | Path) -> "Task": ...


def type_of(task: str) -> type[Task]:
    """Import the type of a task. Raises KeyError for an unknown one."""
    module, _, name = TASKS[task].rpartition(".")
    return cast("type[Task]", getattr(importlib.import_module(module), name))


def load(source: str | Path) -> "Classifier":
    """Load a .eyespot file, a network of the zoo by its name, or network.safetensors.

    The type is that of the file's task. Raises ClassifierFileError if the file cannot be used,
    WeightsError if the backbone's weights are missing or differ from those it was trained with.
    """
    path = path_of(source)
    name = str(source)
    is_network = name in NETWORKS or name.startswith("timm:")
    if path.suffix == ".safetensors" or (is_network and not path.exists()):
        from eyespot.tasks.classification.network import network_classifier

        return network_classifier(name)
    task = task_of(path)
    if not isinstance(task, str) or task not in TASKS:
        raise damaged(path, f"its task is {shown(task)}, not one of {', '.join(TASKS)}")
    return cast("Classifier", type_of(task).load(path))
