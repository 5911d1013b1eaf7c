"""Predictions on the terminal: JSON, bars for each photo, or a line for each and a summary."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eyespot.cli.show import bar, json_text, print_bars, say
from eyespot.cli.streams import expect_reader
from eyespot.shown import percent, printable

if TYPE_CHECKING:
    from eyespot.data.photos import Photo
    from eyespot.tasks.classification.classifier import Prediction

Show = Callable[["Iterable[Prediction]"], None]
"""Prints predictions as they come."""

UNKNOWN, UNREADABLE = "none of these", "cannot be used"
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


def print_predictions_json(predictions: "Iterable[Prediction]") -> None:
    """Print a JSON list, one prediction at a time."""
    before = "["
    for one in predictions:
        say(before + json_text(one.to_dict()), end="")
        before = ", "
    say("]" if before == ", " else "[]")


def print_top(predictions: "Iterable[Prediction]") -> None:
    """Print the top classes of each photo with bars."""
    for one in predictions:
        say(printable(one.path))
        if one.error:
            say(printable(f"  {UNREADABLE}: {one.error}"))
        if one.unknown:
            say(f"  {UNKNOWN}: the photo is unlike the training photos. Most similar classes:")
        print_bars((label, probability, "") for label, probability in one.top)


def print_lines(predictions: "Iterable[Prediction]", photos: "Sequence[Photo]") -> None:
    """Print a line for each of `photos`, and how many photos each class has."""
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
    shown = counts.most_common(CLASSES)
    total, width = counts.total(), max((len(printable(label)) for label, _ in shown), default=0)
    digits = len(f"{total:,}")
    say(f"\n{total:,} photos")
    for label, count in shown:
        say(f"  {printable(label):{width}}  {count:>{digits},}  {bar(count / total)}".rstrip())
    if len(counts) > CLASSES:
        say(f"  and {len(counts) - CLASSES:,} more classes")
