"""Suggest an existing name for a misspelled one."""

from collections.abc import Iterable
from difflib import SequenceMatcher

ALIKE = 0.6
"""Minimum similarity of a suggestion; difflib's default."""


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The shortest of `names` that begins with `name`, else the most similar one, ignoring case.

    `names` are in order of preference: the first wins a tie. None if no name is similar."""
    wanted, known = name.casefold(), list(names)
    begun = [each for each in known if wanted and each.casefold().startswith(wanted)]
    if begun:
        return min(begun, key=len)

    def likeness(each: str) -> float:
        return SequenceMatcher(None, each.casefold(), wanted).ratio()

    best = max(known, key=likeness, default="")
    return best if likeness(best) > ALIKE else None
