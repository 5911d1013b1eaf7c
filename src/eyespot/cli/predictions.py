"""Predictions on the terminal: JSON, each in full, or a line for each and a summary."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eyespot.cli.show import json_text, print_bars, say
from eyespot.cli.streams import expect_reader
from eyespot.shown import bar, printable

if TYPE_CHECKING:
    from eyespot.data.photos import Photo
    from eyespot.tasks.protocol import Prediction

Show = Callable[["Iterable[Prediction]"], None]
"""Prints predictions as they come."""

UNREADABLE = "cannot be used"
WIDEST = 48
"""Characters of a path before its label is no longer aligned."""
CLASSES = 20
"""Classes in the summary; the rest is counted."""


def while_read(
    predictions: "Iterable[Prediction]", failed: Counter[bool]
) -> "Iterator[Prediction]":
    """Predictions that are only printed: they end when nobody reads standard output.

    `failed`: counts those that are errors (True) and the others.
    """
    for one in predictions:
        failed[bool(one.error)] += 1
        yield one
        expect_reader()


def exhaust(predictions: "Iterable[Prediction]") -> None:
    """Print nothing."""
    for _ in predictions:
        pass


def print_predictions_json(predictions: "Iterable[Prediction]") -> None:
    """Print a JSON list, one prediction at a time."""
    before = "["
    for one in predictions:
        say(before + json_text(one.to_dict()), end="")
        before = ", "
    say("]" if before == ", " else "[]")


def print_details(predictions: "Iterable[Prediction]") -> None:
    """Print each prediction in full, with bars."""
    for one in predictions:
        say(printable(one.path))
        if one.error:
            say(printable(f"  {UNREADABLE}: {one.error}"))
            continue
        details = one.details()
        for line in details.lines:
            say(printable(line))
        print_bars(details.bars)


def print_lines(predictions: "Iterable[Prediction]", photos: "Sequence[Photo]") -> None:
    """Print a line for each of `photos`, and a summary: how often each label was predicted."""
    width = min(WIDEST, max((len(printable(photo.name)) for photo in photos), default=0))
    counts: Counter[str] = Counter()
    number = 0
    for one in predictions:
        number += 1
        text = f"{UNREADABLE}: {one.error}" if one.error else one.line()
        counts.update({UNREADABLE: 1} if one.error else one.counts())
        say(f"{printable(one.path):{width}}  {printable(text)}")
    shown = counts.most_common(CLASSES)
    total, width = counts.total(), max((len(printable(label)) for label, _ in shown), default=0)
    digits = len(f"{total:,}")
    say(f"\n{number:,} photos")
    for label, count in shown:
        say(f"  {printable(label):{width}}  {count:>{digits},}  {bar(count / total)}".rstrip())
    if len(counts) > CLASSES:
        say(f"  and {len(counts) - CLASSES:,} more classes")
