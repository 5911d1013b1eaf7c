"""Predictions on the terminal: JSON, bars for each photo, or a line for each and a summary."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eyespot.cli.show import bar, bar_of, json_text, printable, say
from eyespot.cli.streams import expect_reader

if TYPE_CHECKING:
    from eyespot.data.photos import Photo
    from eyespot.tasks.classification.classifier import Prediction

Show = Callable[["Iterable[Prediction]"], tuple[int, int]]
"""Prints predictions as they come; returns how many there were, and how many are errors."""

UNKNOWN, UNREADABLE = "none of these", "cannot be used"
WIDEST = 48
"""Characters of a path before its label is no longer aligned."""
CLASSES = 20
"""Classes in the summary; the rest is counted."""


def while_read(predictions: "Iterable[Prediction]") -> "Iterator[Prediction]":
    """Predictions that are only printed: they end when nobody reads standard output."""
    for one in predictions:
        yield one
        expect_reader()


def print_predictions_json(predictions: "Iterable[Prediction]") -> tuple[int, int]:
    """Print a JSON list, one prediction at a time."""
    count = failures = 0
    for one in predictions:
        say(", " if count else "[", end="")
        say(json_text(one.to_dict()), end="")
        count += 1
        failures += bool(one.error)
    say("]" if count else "[]")
    return count, failures


def print_bars(predictions: "Iterable[Prediction]") -> tuple[int, int]:
    """Print the top classes of each photo with bars."""
    count = failures = 0
    for one in predictions:
        count += 1
        say(printable(one.path))
        if one.error:
            failures += 1
            say(printable(f"  {UNREADABLE}: {one.error}"))
            continue
        if one.unknown:
            say(f"  {UNKNOWN}: the photo is unlike the training photos. Most similar classes:")
        width = max(len(label) for label, _ in one.top)
        for label, probability in one.top:
            say(f"  {printable(label):{width}}  {bar_of(probability)}")
    return count, failures


def print_lines(predictions: "Iterable[Prediction]", photos: "Sequence[Photo]") -> tuple[int, int]:
    """Print a line for each of `photos`, and how many photos each class has."""
    from eyespot.evaluation import percent

    width = min(WIDEST, max((len(printable(photo.name)) for photo in photos), default=0))
    counts: Counter[str] = Counter()
    for one in predictions:
        label, _ = one.top[0] if one.top else ("", 0.0)
        if one.error:
            text, counted_as = f"{UNREADABLE}: {one.error}", UNREADABLE
        elif one.unknown:
            text, counted_as = f"{UNKNOWN} (most similar: {label})", UNKNOWN
        else:
            text, counted_as = f"{percent(one.probability):>6}  {label}", label
        counts[counted_as] += 1
        say(f"{printable(one.path):{width}}  {printable(text)}")
    _print_summary(counts)
    return counts.total(), counts[UNREADABLE]


def _print_summary(counts: Counter[str]) -> None:
    shown = counts.most_common(CLASSES)
    total, width = counts.total(), max((len(printable(label)) for label, _ in shown), default=0)
    digits = len(f"{total:,}")
    say(f"\n{total:,} photos")
    for label, count in shown:
        say(f"  {printable(label):{width}}  {count:>{digits},}  {bar(count / total)}".rstrip())
    if len(counts) > CLASSES:
        say(f"  and {len(counts) - CLASSES:,} more classes")
