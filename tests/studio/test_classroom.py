"""Which projects are kept open."""

from pathlib import Path

import pytest

from eyespot.studio import classroom
from eyespot.studio.classroom import MOST_OPEN, Classroom, Classrooms
from eyespot.studio.projects import Store


def test_what_pages_show_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classroom, "_run", lambda self: None)
    store = Store(tmp_path)
    ids = [store.create(str(number)).id for number in range(MOST_OPEN + 2)]
    rooms = Classrooms(store)
    opened = [rooms.of(id) for id in ids]
    assert [rooms.of(id) for id in ids] == opened
    monkeypatch.setattr(classroom, "SHOWN", -1.0)
    assert rooms.of(ids[-1]) is opened[-1]
    assert rooms.of(ids[0]) is not opened[0]
    rooms.close()
