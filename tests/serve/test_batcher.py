"""The core: nothing is lost, nothing is mixed up, and what nobody waits for is not computed."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from eyespot.errors import PhotoError
from eyespot.serve.batcher import Batcher, BusyError
from eyespot.serve.decoders import Decoders
from tests.serve.worlds import Gate, grey, light_meter


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def batcher(gate: Gate, decoders: Decoders) -> Iterator[Batcher]:
    batcher = Batcher(light_meter(gate), decoders, waiting=40)
    yield batcher
    gate.open.set()
    batcher.close()


def told(answer: "Future[Any]") -> Any:
    """The classifier's prediction."""
    return answer.result(30)


def occupy(batcher: Batcher, gate: Gate) -> None:
    """Let the network be at a photo, and stay there."""
    gate.open.clear()
    batcher.submit([("first", grey(0))])
    assert gate.entered.acquire(timeout=600)


def test_each_photo_gets_its_own_answer(batcher: Batcher) -> None:
    levels = np.random.default_rng(0).permutation(40).tolist()
    found: dict[int, str | None] = {}

    def ask(part: list[int]) -> None:
        for level in part:
            (answer,) = batcher.submit([(str(level), grey(100 + 2 * level))], 1)
            assert answer.result(30).path == str(level)
            found[level] = told(answer).label

    threads = [threading.Thread(target=ask, args=(levels[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: "bright" if 100 + 2 * n > 127.5 else "dark" for n in range(40)}
    assert batcher.waiting == 0


def test_what_waits_goes_through_the_network_together(batcher: Batcher, gate: Gate) -> None:
    occupy(batcher, gate)
    answers = [batcher.submit([(str(n), grey(250))])[0] for n in range(8)]
    while batcher._ready.qsize() < 8:  # all are decoded
        pass
    gate.open.set()
    assert [told(answer).label for answer in answers] == ["bright"] * 8
    assert gate.sizes == [1, 4, 4]


def test_a_full_queue_takes_nothing_of_a_request(batcher: Batcher, gate: Gate) -> None:
    occupy(batcher, gate)
    kept = batcher.submit([("a", grey(250))] * 30)
    with pytest.raises(BusyError, match="31 photos are waiting"):
        batcher.submit([("b", grey(0))] * 10)
    assert batcher.waiting == 31
    gate.open.set()
    assert {answer.result(30).path for answer in kept} == {"a"}


def test_what_nobody_waits_for_is_not_computed(batcher: Batcher, gate: Gate) -> None:
    occupy(batcher, gate)
    dropped = batcher.submit([("dropped", grey(0))] * 6)
    assert all(answer.cancel() for answer in dropped)
    (wanted,) = batcher.submit([("wanted", grey(250))])
    gate.open.set()
    assert told(wanted).label == "bright"
    assert sum(gate.sizes) == 2
    assert batcher.waiting == 0


def test_a_photo_that_cannot_be_read_is_alone_with_it(batcher: Batcher) -> None:
    good, bad = batcher.submit([("good", grey(0)), ("bad", b"no photo")])
    assert told(good).label == "dark"
    with pytest.raises(PhotoError, match="not an image"):
        bad.result(30)
    assert batcher.waiting == 0


def test_a_network_that_fails_is_said_to_all_and_the_next_go_on(
    batcher: Batcher, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(gate, "run", lambda photos: 1 / 0)
        answers = batcher.submit([("a", grey(0)), ("b", grey(0))])
        assert {type(answer.exception(30)) for answer in answers} == {ZeroDivisionError}
    assert told(batcher.submit([("c", grey(0))])[0]).label == "dark"
    assert batcher.works
    assert batcher.waiting == 0


def test_each_request_gets_as_many_classes_as_it_asked_for(batcher: Batcher, gate: Gate) -> None:
    occupy(batcher, gate)
    one, two = batcher.submit([("a", grey(0))], 1), batcher.submit([("b", grey(0))], 2)
    gate.open.set()
    assert [len(told(answers[0]).top) for answers in (one, two)] == [1, 2]


def test_another_classifier_answers_what_comes_after_it(batcher: Batcher, gate: Gate) -> None:
    occupy(batcher, gate)
    (before,) = batcher.submit([("before", grey(0))])
    batcher.model = light_meter(gate, ("night", "day"))
    (after,) = batcher.submit([("after", grey(0))])
    gate.open.set()
    assert (told(before).label, told(after).label) == ("dark", "night")


def test_closing_classifies_the_decoded_photos(gate: Gate) -> None:
    decoders = Decoders(1)
    batcher = Batcher(light_meter(gate), decoders)
    occupy(batcher, gate)
    answers = batcher.submit([("a", grey(250))] * 20)
    decoders.close()
    closing = threading.Thread(target=batcher.close)
    closing.start()
    gate.open.set()
    assert [told(answer).label for answer in answers] == ["bright"] * 20
    closing.join(30)
    assert not closing.is_alive()
    assert not batcher.works
