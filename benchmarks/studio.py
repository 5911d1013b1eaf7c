"""Teach in the studio: from the last recorded frame to the updated prediction, and its evaluation.

Photos are made up with a fixed seed: frames of 640 x 480 pixels, in bursts of a scene that moves
a little. As recorded (4 bursts a class) and as files (each a photo of its own), since the
training differs.
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measure import keep, summary
from numpy.typing import NDArray
from PIL import Image

from eyespot.features.backbone import load_backbone
from eyespot.studio.projects import Store
from eyespot.studio.trainer import ProjectTrainer, Trained

BURSTS = 4
SIZE = (640, 480)


class Laps:
    """Milliseconds by the clock, and of this thread on a processor; the head is
    trained and evaluated by this thread alone."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []
        self.lap()

    def lap(self) -> None:
        self.clock.append(1e3 * time.perf_counter())
        self.processor.append(1e3 * time.thread_time())

    def when_done(self, stage: str, done: int, total: int) -> None:
        if done == total:
            self.lap()


def scene(rng: np.random.Generator, hue: NDArray[np.float64], grain: int) -> NDArray[np.uint8]:
    """Blots of about one colour, larger than a frame, so that a frame can move in it."""
    blots = rng.random((grain, grain, 1)) * hue + rng.random((grain, grain, 3)) * 0.4
    image = Image.fromarray((blots.clip(0, 1) * 255).astype(np.uint8))
    return np.asarray(image.resize((SIZE[0] + 200, SIZE[1] + 200), Image.Resampling.BICUBIC))


def frames(kind: int, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(burst, JPEG) of a class, `count` in all."""
    rng = np.random.default_rng(seed)
    hue = np.eye(3)[kind % 3] * 0.5 + 0.2
    for burst in range(BURSTS):
        whole = scene(rng, hue, (6, 14, 30)[kind % 3])
        y, x = 100, 100
        for _ in range(count // BURSTS):
            y, x = (int(np.clip(at + rng.integers(-4, 5), 0, 200)) for at in (y, x))
            frame = whole[y : y + SIZE[1], x : x + SIZE[0]].astype(np.int16)
            frame += rng.normal(0, 4, frame.shape).astype(np.int16)
            file = io.BytesIO()
            Image.fromarray(frame.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
            yield f"{kind}-{burst}", file.getvalue()


def measured(classes: int, count: int, rounds: int, *, bursts: bool) -> dict[str, list[float]]:
    """Milliseconds by part, of `rounds` frames that come one after the other."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EYESPOT_CACHE"] = folder  # no photo is known
        project = Store(Path(folder) / "projects").create("measured")
        ids = [project.add_class(f"class {kind}") for kind in range(classes)]
        for kind, id in enumerate(ids):
            for burst, data in frames(kind, count, seed=kind):
                project.add_photos(id, [("frame", data)], burst if bursts else None)
        trainer = ProjectTrainer(load_backbone())
        start = time.perf_counter()
        trainer.update(project).predict(data)
        found["first time, all"] = [1e3 * (time.perf_counter() - start)]
        more = list(frames(0, rounds * BURSTS, seed=classes))[:rounds]
        for _, data in more:
            laps = Laps()

            def predicts(trained: Trained, data: bytes = data, laps: Laps = laps) -> None:
                laps.lap()
                trained.predict(data)
                laps.lap()

            project.add_photos(ids[0], [("frame", data)], "0-last" if bursts else None)
            laps.lap()
            trainer.update(project, predicts, laps.when_done)
            laps.lap()
            parts = ("storing", "features", "head", "prediction", "evaluation")
            for part, took in zip(parts, np.diff(laps.clock), strict=True):
                found.setdefault(part, []).append(took)
            for index in (2, 4):  # what a core that does nothing else would take
                took = laps.processor[index + 1] - laps.processor[index]
                found.setdefault(f"{parts[index]}, processor time", []).append(took)
            found.setdefault("frame to prediction", []).append(laps.clock[4] - laps.clock[0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--photos", type=int, default=200, help="of each class")
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()
    results = {
        name: {
            part: summary(took)
            for part, took in measured(
                asked.classes, asked.photos, asked.rounds, bursts=bursts
            ).items()
        }
        for name, bursts in (("recorded", True), ("files", False))
    }
    keep("studio", {"classes": asked.classes, "photos": asked.photos, "ms": results})


if __name__ == "__main__":
    main()
