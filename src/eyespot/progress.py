"""Progress of long work: a callback, and a counter for it."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


def counting(progress: Progress, stage: str, total: int) -> Callable[[int], None]:
    """A function that takes the number of newly done items and reports the sum to `progress`."""
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(stage, done, total)

    return step
