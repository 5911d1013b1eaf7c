"""Output that the verbs share: progress, rows, bars; JSON for programs."""

import contextlib
import json
import logging
import shutil
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from eyespot.shown import bar_of, counted, harmless, harmless_json, listed, printable

if TYPE_CHECKING:
    from eyespot.data.finding import Finding
    from eyespot.data.parts import Work, Written
    from eyespot.data.photos import Dataset, Skipped
    from eyespot.export.check import Agreement
    from eyespot.export.int8 import Loss


class HarmlessLines(logging.Formatter):
    """Log lines without control characters, which could drive a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


_format_warning = warnings.formatwarning


def guard_terminal() -> None:
    """Escape control characters in logs, warnings and tracebacks, which may quote untrusted files,
    as `say` does."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(HarmlessLines())
    warnings.formatwarning = lambda *about, **more: harmless(_format_warning(*about, **more))
    sys.excepthook = lambda *error: say(
        "".join(traceback.format_exception(*error)), end="", file=sys.stderr
    )


def say(*words: object, file: TextIO | None = None, end: str = "\n", flush: bool = False) -> None:
    """Print with control characters escaped, except line breaks: text may come from an untrusted
    file, a server or a name, and could drive the terminal."""
    print(harmless(" ".join(map(str, words))), file=file, end=end, flush=flush)


def command() -> str:
    """The command for lines that people copy: `eyespot`, or its path if the shell would not find
    it."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "eyespot" and not shutil.which("eyespot") else "eyespot"


STARTING = "Starting"


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, for (stage, done, total); none if that is not a terminal.

    A spinner runs until the first stage, while libraries are loaded.
    """
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    console = Console(stderr=True)
    # Text printed meanwhile stands above the bars on a terminal. A redirected standard output must
    # not end on standard error.
    above = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=above) as bars:
        tasks: dict[str, Any] = {STARTING: bars.add_task(STARTING, total=None, speed="")}

        def step(stage: str, done: int, total: int) -> None:
            stage = printable(stage)
            # A single step has no known share: its bar moves to and fro.
            whole = total if total > 1 or done else None
            if STARTING in tasks:
                bars.remove_task(tasks.pop(STARTING))
            if stage not in tasks:
                # Work done before the first call took no time now, and must not count as speed.
                tasks[stage] = bars.add_task(stage, total=whole, completed=done, speed="")
            bars.update(tasks[stage], completed=done, total=whole)
            speed = next(task.speed for task in bars.tasks if task.id == tasks[stage])
            bars.update(tasks[stage], speed=f"{speed:.0f}/s" if speed else "")

        yield step


@contextlib.contextmanager
def resumable() -> "Iterator[Work]":
    """A bar for `write_features` and `write_predictions`, and a line if they resume a run."""
    first = True
    with progress() as step:

        def work(done: int, total: int) -> None:
            nonlocal first
            if first and done:
                say(f"Resuming: {done:,} of {total:,} photos are done.", file=sys.stderr)
            first = False
            step("Embedding photos", done, total)

        yield work


def print_rows(rows: "Iterable[tuple[str, str]]") -> None:
    """Print labels and texts under each other, wrapped to the terminal's width; no empty rows.

    A command may follow a text after a line break. It stays on one line, so that it can be copied.
    """
    shown = [(label, text) for label, text in rows if text]
    indent = max((len(label) for label, _ in shown), default=0) + 2
    width = max(shutil.get_terminal_size().columns, indent + 20)
    for label, text in shown:
        words, _, command = text.partition("\n")
        lines = textwrap.wrap(
            printable(words),
            width,
            initial_indent=label.ljust(indent),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if command and len(lines[-1]) + 1 + len(command) <= width:
            lines[-1] += f" {command}"
        elif command:
            lines.append(" " * indent + command)
        say("\n".join(lines))


def print_skipped(skipped: "Iterable[Skipped]", most: int | None = None) -> None:
    """Print skipped photos with reasons on standard error: the first `most`, None for all."""
    everything = list(skipped)
    for one in everything[:most]:
        say(printable(f"Skipped {one.path}: {one.reason}"), file=sys.stderr, flush=True)
    if most is not None and len(everything) > most:
        say(f"and {len(everything) - most:,} more; --json lists every one.", file=sys.stderr)


def print_failures(written: "Written") -> None:
    """Print the photos that could not be used on standard error: the first by name."""
    print_skipped(written.failed)
    more = written.failures - len(written.failed)
    if more:
        left = counted(more, "more photo")
        say(f"{left} could not be used: see the column error.", file=sys.stderr)


def print_problems(found: "Dataset | Agreement | Loss") -> None:
    """Print findings and skipped photos on standard error."""
    print_findings(found.findings, sys.stderr)
    print_skipped(found.skipped)


def print_wrote(*paths: Path) -> None:
    """Print which files were written."""
    say(f"\nWrote {listed(map(printable, paths))}")


def print_json(value: Any) -> None:
    say(json_text(value))


def json_text(value: Any) -> str:
    """A value as JSON for standard output in any encoding: control characters are escaped, and all
    but ASCII where the encoding is not UTF-8."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return harmless_json(json.dumps(value, ensure_ascii=not utf8))


def print_findings(findings: "Iterable[Finding]", file: TextIO | None = None) -> None:
    """Print one line for each finding, on standard output or `file`."""
    for finding in findings:
        text = f"{finding.severity.capitalize()}: {finding.message} {finding.advice}"
        say(printable(text.rstrip()), file=file)


def print_bars(rows: Iterable[tuple[str, float, str]]) -> None:
    """Print bars under each other: label, share and what follows."""
    shown = [(printable(label), share, more) for label, share, more in rows]
    width = max((len(label) for label, _, _ in shown), default=0)
    for label, share, more in shown:
        say(f"  {label:{width}}  {bar_of(share)}{more}")


class Lines:
    """A line for each item as soon as it is there, below a heading.

    `line`: the text for the last of the items so far.
    """

    def __init__(self, heading: str, line: Callable[[Sequence[Any]], str]) -> None:
        self.heading, self.line = heading, line
        self.printed = 0

    def watch(self, items: Sequence[Any]) -> None:
        """Print the items that are new."""
        for count in range(self.printed + 1, len(items) + 1):
            if count == 1:
                say(self.heading)
            say(self.line(items[:count]), flush=True)
        self.printed = len(items)
