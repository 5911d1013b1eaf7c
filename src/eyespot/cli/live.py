"""`eyespot predict --camera` and `--video`: the predictions for each frame, live."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eyespot.cli.show import say
from eyespot.cli.streams import expect_reader
from eyespot.errors import EyespotError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from eyespot.tasks.protocol import Task


def watch(model: "Task", video: Path | None, options: Mapping[str, Any], camera: int = 0) -> None:
    """Predict for each frame of a video, or of the camera until Ctrl-C. `options`: of `watch`.

    Raises EyespotError if the video or camera cannot be opened, MissingExtraError without OpenCV.
    """
    shown = 0
    start = time.perf_counter()
    with _screen() as show:
        try:
            for lines in model.watch(frames(video, camera), **options):
                shown += 1
                rate = shown / (time.perf_counter() - start)
                show(lines, f"frame {shown}, {rate:.1f} frames/s")
        except KeyboardInterrupt:
            if video is not None:
                raise
    if not shown:
        raise EyespotError(
            f"Expected frames from {video or 'the camera'}, found none. Try another."
        )


def frames(video: Path | None, camera: int = 0) -> Iterator[NDArray[np.uint8]]:
    """Frames uint8 RGB [H, W, 3] of a video, or of the camera."""
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("Reading cameras and videos", "camera") from error
    if video is not None and not video.is_file():
        raise UsageError(f"There is no video {video}. Check the path.")
    source: Any = cv2.VideoCapture(str(video) if video is not None else camera)
    try:
        if not source.isOpened():
            what = f"{video} is not a video that can be read" if video else "No camera was found"
            raise EyespotError(f"{what}. Try another, or: eyespot predict --video FILE")
        if video is None:
            source.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not a queue of old ones
        while True:
            there, frame = source.read()
            if not there:
                return
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        source.release()


@contextlib.contextmanager
def _screen() -> Iterator[Callable[[list[str], str], None]]:
    """Shows lines and a status: in an area that is redrawn on a terminal, else once a second."""
    if sys.stdout.isatty():
        from rich.live import Live
        from rich.text import Text

        with Live(refresh_per_second=15) as live:
            yield lambda body, status: live.update(Text("\n".join([*body, status])))
        return
    last = 0.0

    def show(body: list[str], status: str) -> None:
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            say(status, body[1] if len(body) > 1 else "", body[0], flush=True)
            expect_reader()

    yield show
