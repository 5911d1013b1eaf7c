"""Which projects are kept open."""

from pathlib import Path

import pytest

from eyespot.studio import open_table
from eyespot.studio.open_projects import OpenProject, OpenProjects
from eyespot.studio.open_table import MAX_OPEN
from eyespot.studio.projects import Store


def test_projects_on_a_page_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenProject, "_run", lambda self: None)
    store = Store(tmp_path)
    ids = [store.create(str(number)).id for number in range(MAX_OPEN + 2)]
    projects = OpenProjects(store)
    opened = [projects.get(id) for id in ids]
    assert [projects.get(id) for id in ids] == opened
    monkeypatch.setattr(open_table, "ON_PAGE", -1.0)
    assert projects.get(ids[-1]) is opened[-1]
    assert projects.get(ids[0]) is not opened[0]
    projects.close_all()
