"""Classification of photos of many requests in common batches.

A pool of threads decodes the photos. As many workers as the engine asks for take decoded photos,
one or a whole batch at a time, and run the network once for them.
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
from eyespot.limits import MAX_WAITING_PHOTOS
from eyespot.serve.threads import background
from eyespot.shown import Brief
from eyespot.tasks.classification.classifier import Classifier, Prediction


class BusyError(EyespotError):
    """The queue has no room for more photos."""


@dataclass(slots=True, repr=False)
class _Job(Brief):
    name: str
    data: bytes
    top: int
    classifier: Classifier
    answer: "Future[Prediction]"
    pixels: NDArray[np.uint8] | None = None

    def forget(self, answer: "Future[Prediction]") -> None:
        """Free the photo of a cancelled job before its turn comes."""
        self.data = b""


class Batcher:
    """Classifies photos with `classifier`, which may be replaced at any time: photos submitted
    before are classified by the previous one.

    `waiting`: most photos in progress. `on_batch`: called with the size of each batch.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        waiting: int = MAX_WAITING_PHOTOS,
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
        """Photos in progress."""
        return self._waiting

    @property
    def works(self) -> bool:
        """Whether all workers are alive."""
        return all(worker.is_alive() for worker in self._workers)

    def submit(
        self, photos: Sequence[tuple[str, bytes]], top: int = 5
    ) -> list["Future[Prediction]"]:
        """A future for each (name, encoded photo). It fails with PhotoError if the photo cannot be
        read. A cancelled one is dropped, unless the network has begun.

        Raises BusyError if the queue has no room for all of them.
        """
        with self._counting:
            if self._waiting + len(photos) > self.room:
                raise BusyError(f"{self._waiting} photos are waiting. Try again soon.")
            self._waiting += len(photos)
        classifier = self.classifier
        jobs = [_Job(name, data, top, classifier, Future()) for name, data in photos]
        for job in jobs:
            job.answer.add_done_callback(job.forget)
            self._decoders.submit(self._decode, job)
        return [job.answer for job in jobs]

    def close(self) -> None:
        """Classify the photos in progress, then end the threads. Call `submit` no more."""
        self._decoders.shutdown()
        self._ready.put(None)
        for worker in self._workers:
            worker.join()

    def _decode(self, job: _Job) -> None:
        if job.answer.cancelled():
            return self._done(1)
        try:
            job.pixels = job.classifier.prepare(job.data)
            job.data = b""
            self._ready.put(job)
        except Exception as error:
            if isinstance(error, MemoryError):
                error = PhotoError("decoding it needs more memory than the server has")
            self._done(1)
            if job.answer.set_running_or_notify_cancel():
                job.answer.set_exception(error)

    def _work(self) -> None:
        while True:
            with self._gathering:  # else two workers would share one full batch
                batch = self._gather()
            if not batch:
                return
            wanted = [job for job in batch if job.answer.set_running_or_notify_cancel()]
            self._done(len(batch) - len(wanted))
            for _, group in groupby(wanted, key=lambda job: id(job.classifier)):
                self._answer(list(group))

    def _gather(self) -> list[_Job]:
        """The next photo, or a whole batch if one is ready; an empty list at the end.

        A few photos are classified one by one without delay. Many photos form batches while the
        workers are busy. Waiting for more would not help in between.
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
            answers = classifier.predict_features([job.name for job in jobs], features, top)
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
