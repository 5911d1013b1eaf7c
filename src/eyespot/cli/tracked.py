"""`eyespot predict --video` with --json or --annotated: boxes and tracks of each frame."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.cli.live import frames
from eyespot.cli.outputs import check_folder, check_outputs
from eyespot.cli.show import json_text, print_wrote, say
from eyespot.cli.streams import expect_reader
from eyespot.errors import EyespotError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL_RATE = 15.0
"""Frames per second of a camera, or of a video that does not tell."""


def write_tracked(model: Any, video: Path | None, folder: Path | None, *, as_json: bool) -> None:
    """Track objects in a video, or in the camera image until Ctrl-C.

    `folder`: write NAME.mp4 with boxes into it. Raises UsageError for a model without tracks,
    EyespotError if the video cannot be read or written, MissingExtraError without OpenCV.
    """
    if not hasattr(model, "track"):
        raise UsageError(
            "With --camera and --video, --json and --annotated are for detectors without --then. "
            "Leave them out."
        )
    path = folder and folder / f"{video.stem if video else 'camera'}.mp4"
    if folder and path:
        check_folder(folder, path.name)
        check_outputs([path], [video] if video else [])
    before, last = '{"frames": [', None
    with _video(model, path, video) as write:
        try:
            for frame, last in model.track(frames(video)):
                if as_json:
                    say(before + json_text(last.to_dict()), end="")
                    before = ", "
                    expect_reader()
                write(frame, last)
        except KeyboardInterrupt:
            if video is not None:
                raise
    if last is None:
        raise EyespotError(
            f"Expected frames from {video or 'the camera'}, found none. Try another."
        )
    if as_json:
        say(f'], "tracks": {json_text(last.totals)}}}')
        return
    counts = ", ".join(f"{count:,} {label}" for label, count in last.totals.items()) or "none"
    say(f"{last.number:,} frames, tracks: {counts}")
    if path:
        print_wrote(path)


@contextmanager
def _video(
    model: Any, path: Path | None, source: Path | None
) -> "Iterator[Callable[[NDArray[np.uint8], Any], None]]":
    """Writes a frame with its boxes; the file appears when it is complete."""
    if path is None:
        yield lambda frame, tracked: None
        return
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.urandom(6).hex()}.part.mp4")
    rate = USUAL_RATE
    if source is not None:
        opened = cv2.VideoCapture(str(source))
        rate = opened.get(cv2.CAP_PROP_FPS) or USUAL_RATE
        opened.release()
    writer: Any = None

    def write(frame: "NDArray[np.uint8]", tracked: Any) -> None:
        nonlocal writer
        drawn = model.draw_tracked(frame, tracked)
        if writer is None:
            size = drawn.shape[1], drawn.shape[0]
            writer = cv2.VideoWriter(str(draft), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
            if not writer.isOpened():
                raise EyespotError(f"OpenCV cannot write {path}. Use --json instead.")
        writer.write(cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))

    try:
        yield write
        if writer is not None:
            writer.release()
            draft.replace(path)
    finally:
        if writer is not None:
            writer.release()
        draft.unlink(missing_ok=True)
