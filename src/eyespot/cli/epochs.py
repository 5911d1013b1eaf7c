"""The epochs of `eyespot train`: a live table on a terminal, a line for each elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

from eyespot.cli.show import Lines, progress, say
from eyespot.shown import percent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from eyespot.progress import Progress
    from eyespot.training.log import Epoch
    from eyespot.training.plan import Plan

HEADINGS = ("Epoch", "LR", "Loss", "Acc", "Val loss", "Val acc", "Seconds")
AROUND = 6
"""Lines of the screen without rows: headings, bar, the shell's line."""

Watch = Callable[["Sequence[Epoch]"], None]


@contextlib.contextmanager
def watching(plan: "Plan", quiet: bool) -> "Iterator[tuple[Progress, Watch]]":
    """Callbacks for progress and for all epochs so far. `quiet`: nothing on standard output."""
    if not quiet and sys.stdout.isatty():
        from rich.console import Console

        with LiveTable(plan, Console()) as table:
            yield announcing(plan, table.step, table.console.print), table.watch
    else:
        with progress() as step:
            if quiet:
                yield step, lambda epochs: None
            else:
                announce = partial(say, file=sys.stderr, flush=True)
                yield announcing(plan, step, announce), epoch_lines().watch


def announcing(plan: "Plan", step: "Progress", announce: Callable[[str], None]) -> "Progress":
    """`step` that also reports in words where the run resumes, and when it compiles."""
    begun = False

    def announced(stage: str, done: int, total: int) -> None:
        nonlocal begun
        if stage == "Training" and not begun:
            begun = True
            if done == total:
                announce("This run is complete: there is nothing to train.")
                return
            if done:
                epoch = done * plan.epochs // total + 1
                announce(
                    f"Resuming in epoch {epoch} of {plan.epochs}, after step {done:,} of {total:,}."
                )
        if stage == "Compiling" and not done:
            announce("Compiling the network; the first steps take a minute or more.")
        step(stage, done, total)

    return announced


def epoch_lines() -> Lines:
    """A line for each epoch, as soon as the epoch is over."""
    from eyespot.training.log import best_epoch

    def line(epochs: "Sequence[Epoch]") -> str:
        last = epochs[-1]
        return _line((*cells(last), _note(last, best_epoch(epochs) is last)))

    return Lines(_line(HEADINGS), line)


class LiveTable:
    """A table of epochs with the best one marked, above the bar of the current epoch."""

    def __init__(self, plan: "Plan", console: "Console") -> None:
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.plan = plan
        self.console = console
        self.epochs: Sequence[Epoch] = ()
        self.now: tuple[str, int, int] | None = None
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            console=console,
        )
        self.bar = self.bars.add_task("", total=None, speed="")
        self.live = Live(get_renderable=self.draw, console=console)

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.now = None
        self.live.stop()  # draws the whole table a last time

    def step(self, stage: str, done: int, total: int) -> None:
        # Steps may take a millisecond; the screen is drawn a few times in a second.
        self.now = (stage, done, total)

    def watch(self, epochs: "Sequence[Epoch]") -> None:
        self.epochs = tuple(epochs)

    def draw(self) -> "RenderableType":
        from rich.console import Group

        if self.now is None:
            return self.table(len(self.epochs))
        self.move(*self.now)
        return Group(self.table(max(1, self.console.height - AROUND)), self.bars)

    def table(self, rows: int) -> "RenderableType":
        """The last `rows` epochs, and the best if it is earlier."""
        from rich.text import Text

        from eyespot.training.log import best_epoch

        if not self.epochs:
            return ""
        best = best_epoch(self.epochs)
        table = Text(no_wrap=True).append(_line(HEADINGS), "dim")
        for epoch in self.epochs:
            if epoch is best:
                table.append(f"\n{_line((*cells(epoch), 'best'))}", "bold green")
            elif epoch in self.epochs[-rows:]:
                table.append(f"\n{_line((*cells(epoch), _note(epoch)))}")
        return table

    def move(self, stage: str, done: int, total: int) -> None:
        """Move the bar: in training, to the step within its epoch."""
        title, before, size = stage, 0, total
        if stage == "Training":
            size = total // self.plan.epochs
            before = max(done - 1, 0) // size * size
            title = f"Epoch {before // size + 1}/{self.plan.epochs}"
        if title != self.bars.tasks[0].description:
            # Work done before took no time now, and must not count as speed.
            self.bars.reset(
                self.bar, total=size, completed=done - before, description=title, speed=""
            )
            return
        self.bars.update(self.bar, completed=done - before)
        speed = self.bars.tasks[0].speed
        if stage == "Training" and speed:
            batch = self.epochs[-1].images / size if self.epochs else self.plan.batch_size
            left = timedelta(seconds=round((total - done) / speed))
            words = f"{speed:.1f} steps/s {speed * batch:,.0f} photos/s {left} left"
            self.bars.update(self.bar, speed=words)


def cells(epoch: "Epoch") -> tuple[str, ...]:
    """An epoch as texts under `HEADINGS`."""
    return (
        str(epoch.epoch),
        f"{epoch.learning_rate:.2g}",
        f"{epoch.loss:.4f}",
        percent(epoch.accuracy, 2),
        "-" if epoch.val_loss is None else f"{epoch.val_loss:.4f}",
        "-" if epoch.val_accuracy is None else percent(epoch.val_accuracy, 2),
        f"{epoch.seconds:.1f}",
    )


def _note(epoch: "Epoch", best: bool = False) -> str:
    return "best so far" if best else "stopped early" if epoch.stopped_early else ""


def _line(words: Sequence[str]) -> str:
    widths = (5, 8, 7, 7, 8, 7, 7)
    right = [f"{word:>{width}}" for word, width in zip(words, widths, strict=False)]
    return "  ".join([*right, *words[len(widths) :]]).rstrip()
