"""The table of tasks."""

import pytest

from eyespot.tasks.task import TASKS, Task, type_of


@pytest.mark.parametrize("task", TASKS)
def test_the_type_of_a_task_offers_what_verbs_need(task: str) -> None:
    needed = [name for name in vars(Task) if not name.startswith("_")]
    assert len(needed) == 7
    missing = [name for name in needed if not callable(getattr(type_of(task), name, None))]
    assert not missing
