"""Suggest an existing name for a misspelled one."""

from collections.abc import Iterable
from difflib import SequenceMatcher

ALIKE = 0.6
"""Minimum similarity of a suggestion; difflib's default."""


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The shortest of `names` that begins with `name`, else the most similar one, ignoring case.

    `names` are in order of preference: the first wins a tie. None if no name is similar."""
    wanted = name.casefold()
    known = list(names)
    begun = [each for each in known if wanted and each.casefold().startswith(wanted)]
    if begun:
        return min(begun, key=len)
    matcher = SequenceMatcher(b=wanted)
    best, most = None, ALIKE
    for each in known:
        matcher.set_seq1(each.casefold())
        if matcher.real_quick_ratio() > most and matcher.ratio() > most:
            best, most = each, matcher.ratio()
    return best
