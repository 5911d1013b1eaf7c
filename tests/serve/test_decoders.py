"""Photos are decoded in processes that may crash, and that are killed if nobody waits."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.serve.decoders import Decoders
from tests.serve.worlds import grey


@pytest.fixture
def decoders(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Decoders]:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # the processes import this file
    caplog.set_level(logging.INFO, "eyespot")
    decoders = Decoders(1)
    yield decoders
    decoders.close()


def process_of(data: bytes) -> int:
    return os.getpid()


def crash(data: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def starve(data: bytes) -> None:
    raise MemoryError


def hang(data: bytes, begun: Path) -> None:
    begun.touch()
    time.sleep(600)


def test_pixels_come_from_another_process(decoders: Decoders) -> None:
    assert decoders.submit(process_of, b"").result(60) != os.getpid()
    photo = decoders.submit(partial(decode, short_side=4), grey(9)).result(60)
    np.testing.assert_array_equal(photo.pixels, decode(grey(9), short_side=4).pixels)
    assert (photo.width, photo.height) == (8, 8)


def test_an_unreadable_photo_keeps_its_reason(decoders: Decoders) -> None:
    process = decoders.submit(process_of, b"").result(60)
    with pytest.raises(PhotoError, match="not an image"):
        decoders.submit(decode, b"no photo").result(60)
    with pytest.raises(PhotoError, match="more memory than the server has"):
        decoders.submit(starve, b"").result(60)
    assert decoders.submit(process_of, b"").result(60) == process


def test_a_crash_costs_one_photo(decoders: Decoders, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PhotoError, match="crashed"):
        decoders.submit(crash, grey(0)).result(60)
    assert decoders.submit(decode, grey(0)).result(60).width == 8
    assert [record.getMessage() for record in caplog.records] == ["decoder died"]


def test_a_process_killed_while_idle_costs_no_photo(decoders: Decoders) -> None:
    process = decoders.submit(process_of, b"").result(60)
    os.kill(process, signal.SIGKILL)
    while decoders._idle.qsize() == 0:
        time.sleep(0.01)
    held = decoders._idle.get()
    held._process.join(60)
    decoders._idle.put(held)
    assert decoders.submit(process_of, grey(0)).result(60) != process


def test_a_decode_that_nobody_waits_for_is_ended(
    decoders: Decoders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = decoders.submit(process_of, b"").result(60)
    long = decoders.submit(partial(hang, begun=tmp_path / "begun"), b"")
    queued = decoders.submit(decode, bytes(1000))
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    assert queued.cancel()
    assert long.cancel()
    assert decoders.submit(process_of, b"").result(60) != process
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    with pytest.raises(CancelledError):
        long.result()
    assert [record.getMessage() for record in caplog.records] == ["decoder killed"]


def test_a_cancelled_photo_takes_no_memory(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(decoders._pool, "submit", lambda run, job: queue.append(job))
        result = decoders.submit(decode, bytes(1000))
    assert len(queue[0].data) == 1000
    result.cancel()
    assert queue[0].data == b""


def test_signals_are_left_to_the_server(decoders: Decoders) -> None:
    process = decoders.submit(process_of, b"").result(60)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(process, number)
    assert decoders.submit(process_of, b"").result(60) == process


def test_a_server_that_exits_at_once_does_not_wait() -> None:
    program = """
from eyespot.serve.decoders import Decoders

kept = Decoders(1)
kept.submit(len, b"").result()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
