"""The core of serving: pictures of many requests are answered together.

Pictures are decoded by a pool of threads. As many workers as the engine asks for take those that
are ready, one or a whole batch at a time, and run the network once for it.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import groupby
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import EyespotError, PhotoError
from eyespot.limits import MAX_WAITING_PICTURES
from eyespot.serve.threads import background
from eyespot.shown import Brief
from eyespot.tasks.classification.classifier import Classifier, Prediction


class BusyError(EyespotError):
    """There is no room for more pictures now."""


@dataclass(slots=True, repr=False)
class _Job(Brief):
    name: str
    data: bytes
    top: int
    classifier: Classifier
    answer: "Future[Prediction]"
    pixels: NDArray[np.uint8] | None = None

    def forget(self, answer: "Future[Prediction]") -> None:
        """What nobody waits for any more takes no memory until its turn comes."""
        self.data = b""


class Batcher:
    """Answers pictures with `classifier`, which may be exchanged at any time: pictures that came
    before are answered by the one that was there then.

    `waiting`: how many pictures may be under way. `on_batch`: told the size of each batch.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        waiting: int = MAX_WAITING_PICTURES,
        on_batch: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.classifier = classifier
        self.room = waiting
        self._on_batch = on_batch
        self._waiting = 0
        self._counting = threading.Lock()
        self._gathering = threading.Lock()
        self._ready: SimpleQueue[_Job | None] = SimpleQueue()
        self._decoders = background(os.cpu_count(), "decode")
        self._workers = [
            threading.Thread(target=self._work, name=f"eyespot-answer-{number}", daemon=True)
            for number in range(classifier.engine.workers)
        ]
        for worker in self._workers:
            worker.start()

    @property
    def waiting(self) -> int:
        """Pictures under way."""
        return self._waiting

    @property
    def works(self) -> bool:
        """Whether there is anybody to answer."""
        return all(worker.is_alive() for worker in self._workers)

    def submit(
        self, pictures: Sequence[tuple[str, bytes]], top: int = 5
    ) -> list["Future[Prediction]"]:
        """An answer to come for each (name, encoded picture), or a PhotoError for one that cannot
        be read. One that is cancelled is dropped, unless the network is at it already.

        Raises BusyError if there is no room for all of them.
        """
        with self._counting:
            if self._waiting + len(pictures) > self.room:
                raise BusyError(f"{self._waiting} pictures are waiting already. Try again soon.")
            self._waiting += len(pictures)
        classifier = self.classifier
        jobs = [_Job(name, data, top, classifier, Future()) for name, data in pictures]
        for job in jobs:
            job.answer.add_done_callback(job.forget)
            self._decoders.submit(self._decode, job)
        return [job.answer for job in jobs]

    def close(self) -> None:
        """Answer what is under way, then end. Nothing may be submitted any more."""
        self._decoders.shutdown()
        self._ready.put(None)
        for worker in self._workers:
            worker.join()

    def _decode(self, job: _Job) -> None:
        if job.answer.cancelled():
            return self._done(1)
        try:
            job.pixels = job.classifier.prepare(job.data)
            job.data = b""  # its pixels are enough
            self._ready.put(job)
        except Exception as error:
            if isinstance(error, MemoryError):
                error = PhotoError("it needs more memory than there is")
            self._done(1)
            if job.answer.set_running_or_notify_cancel():
                job.answer.set_exception(error)

    def _work(self) -> None:
        while True:
            with self._gathering:  # or two workers would share what makes one full batch
                batch = self._gather()
            if not batch:
                return
            wanted = [job for job in batch if job.answer.set_running_or_notify_cancel()]
            self._done(len(batch) - len(wanted))
            for _, group in groupby(wanted, key=lambda job: id(job.classifier)):
                self._answer(list(group))

    def _gather(self) -> list[_Job]:
        """The next picture, or a whole batch if there is one by now; nothing at the end.

        Where pictures are few, each is answered at once, by all cores; where they are many, they
        come together while the workers are busy. In between nothing is gained by waiting.
        """
        batch: list[_Job] = []
        size = self.classifier.engine.batch
        job = self._ready.get()
        if job is not None:
            batch.append(job)
            if self._ready.qsize() < size - 1:
                return batch
        while job is not None and len(batch) < size:
            job = self._ready.get()
            if job is not None:
                batch.append(job)
        if job is None:
            self._ready.put(None)  # for the other workers
        return batch

    def _answer(self, jobs: list[_Job]) -> None:
        self._on_batch(len(jobs))
        classifier = jobs[0].classifier
        try:
            pixels = np.stack([job.pixels for job in jobs if job.pixels is not None])
            features = classifier.engine.run(pixels)
            top = max(job.top for job in jobs)
            answers = classifier.answer([job.name for job in jobs], features, top)
        except Exception as error:
            self._done(len(jobs))
            for job in jobs:
                job.answer.set_exception(error)
            return
        self._done(len(jobs))
        for job, answer in zip(jobs, answers, strict=True):
            if answer.error:
                job.answer.set_exception(PhotoError(answer.error))
            else:
                job.answer.set_result(replace(answer, top=answer.top[: job.top]))

    def _done(self, count: int) -> None:
        with self._counting:
            self._waiting -= count
