"""Tasks: the table of them, and `load`. `protocol.py` lists what each offers.

A new task is a new folder and one row in `TASKS`.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from eyespot.data.given import path_of
from eyespot.errors import UsageError
from eyespot.models.catalogue import NETWORKS
from eyespot.shown import shown
from eyespot.tasks.file import damaged, task_of
from eyespot.tasks.protocol import Task

if TYPE_CHECKING:
    from eyespot.tasks.classification.classifier import Classifier

TASKS = {
    "classification": "eyespot.tasks.classification.classifier.Classifier",
    "detection": "eyespot.tasks.detection.detector.Detector",
}
"""The type that each task's files are loaded as, by the task's name in the manifest."""


def type_of(task: str) -> type[Task]:
    """Import the type of a task. Raises KeyError for an unknown one."""
    module, _, name = TASKS[task].rpartition(".")
    return cast("type[Task]", getattr(importlib.import_module(module), name))


def task_called(name: str) -> type[Task]:
    """The type of a task by its name or the start of it. Raises UsageError for another."""
    found = [task for task in TASKS if name and task.startswith(name)]
    if len(found) != 1:
        raise UsageError(f"Expected a task, one of {', '.join(TASKS)}, found {shown(name)}.")
    return type_of(found[0])


def find_task(source: Path) -> tuple[type[Task], str]:
    """The task whose annotations `source` has, and these in words; the first task without words if
    no task knows them."""
    kinds = [type_of(task) for task in TASKS]
    found = ((kind, kind.annotations(source)) for kind in kinds)
    return next(((kind, words) for kind, words in found if words), (kinds[0], ""))


def load(source: str | Path) -> Any:
    """Load a .eyespot file, a network of the zoo by its name, or network.safetensors.

    The type is that of the file's task, such as Classifier; that of a network is Classifier. Raises
    ClassifierFileError if the file cannot be used, WeightsError if the backbone's weights are
    missing or differ from those it was trained with.
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
    return type_of(task).load(path)


def load_classifier(source: str | Path) -> "Classifier":
    """As `load`. Raises UsageError for the file of another task."""
    from eyespot.tasks.classification.classifier import Classifier

    found = load(source)
    if not isinstance(found, Classifier):
        raise UsageError(
            f"Expected a classifier, and {shown(str(source))} is a {found.noun}. Name another file."
        )
    return found
