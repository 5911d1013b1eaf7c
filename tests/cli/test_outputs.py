import os
from pathlib import Path

import pytest

from eyespot.cli.outputs import check_outputs
from eyespot.errors import UsageError


def test_what_can_be_written_is_let_through(tmp_path: Path) -> None:
    check_outputs([None, tmp_path / "new" / "a.csv", tmp_path / "b.csv", Path(os.devnull)])


def test_nothing_is_written_over_what_is_read_or_written(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"photo")
    with pytest.raises(UsageError, match=r"over .*a\.jpg"):
        check_outputs([tmp_path / "." / "a.jpg"], [photo])
    with pytest.raises(UsageError, match="over"):
        check_outputs([tmp_path / "x", tmp_path / "x"])


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        check_outputs([tmp_path])
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is no folder that lets you"):
        check_outputs([tmp_path / "file" / "a.csv"])
