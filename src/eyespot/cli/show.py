"""What the verbs print alike: progress, bars, tables; JSON for machines."""

import contextlib
import json
import logging
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from eyespot.shown import harmless, harmless_json
from eyespot.shown import printable as printable

if TYPE_CHECKING:
    from eyespot.data.finding import Finding


class HarmlessLines(logging.Formatter):
    """Of what is logged: lines that do nothing to a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


_format_warning = warnings.formatwarning


def guard_terminal() -> None:
    """What is logged, warned of or raised may quote strangers' files, too, and is escaped as `say`
    escapes what it prints."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(HarmlessLines())
    warnings.formatwarning = lambda *about, **more: harmless(_format_warning(*about, **more))
    sys.excepthook = lambda *error: say(
        "".join(traceback.format_exception(*error)), end="", file=sys.stderr
    )


def say(*words: object, file: TextIO | None = None, end: str = "\n", flush: bool = False) -> None:
    """Print as the verbs do: text may come from a stranger's file, a server or a name, so all but
    its line breaks that could drive a terminal is escaped."""
    print(harmless(" ".join(map(str, words))), file=file, end=end, flush=flush)


def command() -> str:
    """What calls eyespot here, so that a line that is shown can be copied: `eyespot`, or where it
    is if the shell would not find it."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "eyespot" and not shutil.which("eyespot") else "eyespot"


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, for (stage, done, total); none if that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    console = Console(stderr=True)
    # What is printed meanwhile stands above the bars on a terminal, and else goes where it was
    # sent, not to standard error.
    above = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=above) as bars:
        tasks: dict[str, Any] = {}

        def step(stage: str, done: int, total: int) -> None:
            stage = printable(stage)
            # The bar of a single step moves to and fro: a share of it is never known.
            whole = total if total > 1 or done else None
            if stage not in tasks:
                # What is done at the first call took no time now, and must not count as speed.
                tasks[stage] = bars.add_task(stage, total=whole, completed=done, speed="")
            bars.update(tasks[stage], completed=done, total=whole)
            speed = next(task.speed for task in bars.tasks if task.id == tasks[stage])
            bars.update(tasks[stage], speed=f"{speed:.0f}/s" if speed else "")

        yield step


def print_json(value: Any) -> None:
    say(json_text(value))


def json_text(value: Any) -> str:
    """A value as JSON that standard output can carry whatever its encoding, and that does nothing
    to a terminal: what is not UTF-8, or controls, is escaped."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return harmless_json(json.dumps(value, ensure_ascii=not utf8))


def print_findings(findings: "Iterable[Finding]", file: TextIO | None = None) -> None:
    """A line a finding, on standard output or `file`."""
    for finding in findings:
        said = f"{finding.severity.capitalize()}: {finding.message} {finding.advice}"
        say(printable(said.rstrip()), file=file)


def bar(share: float, width: int = 24) -> str:
    """A bar of blocks for a share of 0..1."""
    eighths = round(share * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).rstrip().ljust(width)


def bar_of(share: float) -> str:
    """A bar, and the share in percent."""
    from eyespot.evaluation import percent

    return f"{bar(share)} {percent(share):>6}"


def counted(number: int, word: str) -> str:
    """1 photo, 2 photos."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
