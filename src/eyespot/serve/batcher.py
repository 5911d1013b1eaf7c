"""Predictions for photos of many requests in common batches.

Processes decode the photos. As many workers as the engine asks for take decoded photos, one or a
whole batch at a time, and run the network once for them.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from queue import SimpleQueue
from typing import Any

from eyespot.errors import EyespotError, PhotoError
from eyespot.limits import MAX_WAITING_PHOTOS
from eyespot.serve.decoders import Decoders
from eyespot.shown import Brief
from eyespot.tasks.protocol import Prediction, Task


class BusyError(EyespotError):
    """The queue has no room for more photos."""


@dataclass(slots=True, repr=False)
class _Job(Brief):
    name: str
    top: int
    model: Task
    decoded: "Future[Any]"
    answer: "Future[Prediction]" = field(default_factory=Future)

    def stop(self, answer: "Future[Prediction]") -> None:
        """End the decoding of a cancelled job."""
        self.decoded.cancel()


class Batcher:
    """Predicts for photos with `model`, which may be replaced at any time: photos submitted before
    are answered by the previous one.

    `decoders`: may be shared, and remain open. `waiting`: most photos in progress. `on_batch`:
    called with the size of each batch.
    """

    def __init__(
        self,
        model: Task,
        decoders: Decoders,
        *,
        waiting: int = MAX_WAITING_PHOTOS,
        on_batch: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.model = model
        self.room = waiting
        self._on_batch = on_batch
        self._waiting = 0
        self._counting = threading.Lock()
        self._gathering = threading.Lock()
        self._ready: SimpleQueue[_Job | None] = SimpleQueue()
        self._decoders = decoders
        self._workers = [
            threading.Thread(target=self._work, name=f"eyespot-answer-{number}", daemon=True)
            for number in range(model.engine.workers)
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
        model, answers = self.model, []
        decode = model.decoder()
        for name, data in photos:
            job = _Job(name, top, model, self._decoders.submit(decode, data))
            job.decoded.add_done_callback(partial(self._decoded, job))
            job.answer.add_done_callback(job.stop)
            answers.append(job.answer)
        return answers

    def close(self) -> None:
        """Predict for the decoded photos, then end the threads. Close the decoders first."""
        self._ready.put(None)
        for worker in self._workers:
            worker.join()

    def _decoded(self, job: _Job, photo: "Future[Any]") -> None:
        error = None if photo.cancelled() else photo.exception()
        if not (photo.cancelled() or error):
            return self._ready.put(job)
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
            for _, group in groupby(wanted, key=lambda job: id(job.model)):
                self._answer(list(group))

    def _gather(self) -> list[_Job]:
        """The next photo, or a whole batch if one is ready; an empty list at the end.

        A few photos are answered one by one without delay. Many photos form batches while the
        workers are busy. Waiting for more would not help in between.
        """
        batch: list[_Job] = []
        size = self.model.engine.batch
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
        photos = [job.decoded.result() for job in jobs]
        names, tops = [job.name for job in jobs], [job.top for job in jobs]
        try:
            answers = jobs[0].model.predict_decoded(names, photos, tops)
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
                job.answer.set_result(answer)

    def _done(self, count: int) -> None:
        with self._counting:
            self._waiting -= count
