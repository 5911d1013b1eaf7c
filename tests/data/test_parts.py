"""Parts of a table: each photo once however often the work is stopped, and never in a wrong job."""

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyespot.data import parts as module
from eyespot.data.job_folder import folder_for
from eyespot.data.parts import WHOLE, Parts, Share
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import UsageError

COUNT = 64 * 3 + 7
ASKED: dict[str, str | int] = {"table": "numbers", "top": 5}


def photos(count: int = COUNT) -> list[Photo]:
    return [Photo(f"{number}.jpg", MemorySource(b"")) for number in range(count)]


class Stop(BaseException):
    """As a kill: nothing expects it."""


def work(todo: Iterator[Photo], most: float = float("inf")) -> Iterator[tuple[int, str]]:
    """Rows about in order, as a pool of threads gives them; after so many it is over."""
    rows = [(number, photo.name) for number, photo in enumerate(todo)]
    rows.sort(key=lambda row: row[0] + random.Random(row[0]).random() * 30)
    for number, row in enumerate(rows):
        if number >= most:
            raise Stop
        yield row


def table(rows: list[tuple[Photo, str]]) -> Any:
    assert all(photo.name == row for photo, row in rows)
    return pa.table({"path": [row for _, row in rows],
                     "error": ["odd" if "7" in row else None for _, row in rows]})  # fmt: skip


def run(folder: Path, most: float = float("inf"), share: Share = WHOLE) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    with Parts(folder, photos(), ASKED, share) as parts:
        parts.fill(lambda todo: work(todo, most), table, lambda *done: told.append(done))
    return told


def joined(folder: Path, path: Path) -> list[str]:
    with Parts(folder, photos(), ASKED) as parts:
        parts.join(path)
        parts.remove()
    names: list[str] = pq.read_table(path)["path"].to_pylist()
    return names


EXPECTED = [photo.name for photo in photos()]


@pytest.mark.parametrize("most", [0, 1, 63, 64, 90, 91, 150, COUNT - 1])
def test_a_stopped_run_goes_on(most: int, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "p", most)
    there = len(list((tmp_path / "p").glob("part-*")))
    assert there >= (most - 30) // 64  # at most one part is lost, and what is half done in others
    told = run(tmp_path / "p")
    assert told[0] == (64 * there, COUNT)
    assert told[-1] == (COUNT, COUNT)
    assert joined(tmp_path / "p", tmp_path / "t.parquet") == EXPECTED
    assert os.listdir(tmp_path) == ["t.parquet"]  # noqa: PTH208


def test_stopped_again_and_again(tmp_path: Path) -> None:
    for _ in range(4):
        with pytest.raises(Stop):
            run(tmp_path / "p", 100 if not list(tmp_path.glob("p/part-*")) else 40)
    run(tmp_path / "p")
    assert joined(tmp_path / "p", tmp_path / "t.parquet") == EXPECTED


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    run(tmp_path / "p")
    assert run(tmp_path / "p", 0) == [(COUNT, COUNT)]


def test_a_damaged_part_is_written_anew(tmp_path: Path) -> None:
    run(tmp_path / "p")
    (tmp_path / "p/part-00001.parquet").write_bytes(b"damaged")
    pq.write_table(pa.table({"path": ["only one"]}), tmp_path / "p/part-00002.parquet")
    assert run(tmp_path / "p")[0] == (64 + 7, COUNT)
    assert joined(tmp_path / "p", tmp_path / "t.parquet") == EXPECTED


def test_shares_make_the_whole(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        run(tmp_path / "p", share=Share(number, 3))
    assert run(tmp_path / "p", 0)[0] == (COUNT, COUNT)
    assert joined(tmp_path / "p", tmp_path / "t.parquet") == EXPECTED


def test_a_share_that_failed_is_made_up_for(tmp_path: Path) -> None:
    run(tmp_path / "p", share=Share(1, 2))
    with pytest.raises(Stop):
        run(tmp_path / "p", 3, Share(2, 2))
    run(tmp_path / "p")
    assert joined(tmp_path / "p", tmp_path / "t.parquet") == EXPECTED


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2", "1/2/3", "²/3", ""])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="share"):
        Share.parse(text)
    assert Share.parse("2/8") == Share(2, 8)


def test_another_job_is_refused_and_told(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(tmp_path / "p", 100)
    before = sorted((tmp_path / "p").glob("part-*"))
    more = [*photos(), Photo("new.jpg", MemorySource(b""))]
    with pytest.raises(UsageError, match=r"\(199 then, 200 now\), the list of photos"):
        Parts(tmp_path / "p", more, ASKED)
    other = [Photo("other.jpg", MemorySource(b"")), *photos()[1:]]
    with pytest.raises(UsageError, match=r"Different: the list of photos\. Use"):
        Parts(tmp_path / "p", other, ASKED)
    with pytest.raises(UsageError, match=r"classes shown \(5 then, 6 now\)\. Use"):
        Parts(tmp_path / "p", photos(), {**ASKED, "top": 6})
    assert sorted((tmp_path / "p").glob("part-*")) == before
    run(tmp_path / "p")


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/thesis.doc").write_text("years of work")
    with pytest.raises(UsageError, match="something else"):
        Parts(tmp_path / "p", photos(), ASKED)
    (tmp_path / "p/_manifest.json").write_text("{damaged")
    with pytest.raises(UsageError, match="damaged"):
        Parts(tmp_path / "p", photos(), ASKED)
    assert (tmp_path / "p/thesis.doc").read_text() == "years of work"


def test_two_at_once_are_told(tmp_path: Path) -> None:
    with (
        Parts(tmp_path / "p", photos(), ASKED),
        pytest.raises(UsageError, match="Another eyespot"),
    ):
        Parts(tmp_path / "p", photos(), ASKED)
    with Parts(tmp_path / "p", photos(), ASKED, Share(1, 2)):
        Parts(tmp_path / "p", photos(), ASKED, Share(2, 2)).__exit__()
        for share in (WHOLE, Share(1, 2)):
            with pytest.raises(UsageError, match="Another eyespot"):
                Parts(tmp_path / "p", photos(), ASKED, share)
    run(tmp_path / "p")


def test_what_is_written_tells_of_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FAILURES_LISTED", 3)
    run(tmp_path / "p", share=Share(1, 2))
    with Parts(tmp_path / "p", photos(), ASKED) as parts:
        written = parts.written()
    bad = [name for name in EXPECTED[:64] + EXPECTED[128:192] if "7" in name]
    assert (written.photos, written.failures) == (128, len(bad))
    assert [skipped.path for skipped in written.failed] == bad[:3]


def test_a_full_disk_leaves_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Parts._write

    def full(self: Parts, part: int, what: Any) -> None:
        if part == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, part, what)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "_write", full)
        with pytest.raises(OSError, match="No space"):
            run(tmp_path / "p")
    assert run(tmp_path / "p")[0] == (128, COUNT)
    assert joined(tmp_path / "p", tmp_path / "t.parquet") == EXPECTED


def test_parts_stand_beside_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    with folder_for([Path(os.devnull), tmp_path / "link.csv"], shards=False) as folder:
        assert folder == tmp_path.resolve() / "there.csv.parts"
    with folder_for([Path(os.devnull)], shards=False) as folder:
        Parts(folder, photos(), ASKED).__exit__()
    assert not folder.exists()
    with folder_for([tmp_path / "x"], shards=True) as folder:
        assert folder == tmp_path / "x"
