"""The name that was probably meant by one that does not exist."""

from collections.abc import Iterable
from difflib import SequenceMatcher

ALIKE = 0.6
"""Similarity below which nothing is proposed; difflib's own default."""


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Of `names`, in order of preference, the shortest that `name` is the beginning of, else the
    most similar, in any case of letters; of equals the first. None if none is similar."""
    asked = name.casefold()
    known = list(names)
    begun = [each for each in known if asked and each.casefold().startswith(asked)]
    if begun:
        return min(begun, key=len)
    matcher = SequenceMatcher(b=asked)
    best, most = None, ALIKE
    for each in known:
        matcher.set_seq1(each.casefold())
        if matcher.real_quick_ratio() > most and matcher.ratio() > most:
            best, most = each, matcher.ratio()
    return best
