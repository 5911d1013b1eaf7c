"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


def counting(progress: Progress, stage: str, total: int) -> Callable[[int], None]:
    """A function that is told how many more are done, and tells `progress` how many in all."""
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(stage, done, total)

    return step
