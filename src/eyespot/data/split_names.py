"""Recognize the names of splits and folds: the same words for folders, tables, files and zips."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from eyespot.data.finding import Finding
from eyespot.data.photos import printable
from eyespot.shown import listed

Split = Literal["train", "val", "test"]

_SYNONYMS: dict[Split, str] = {
    "train": "train training trn trainval",
    "val": "val valid validation validate dev development",
    "test": "test testing tst holdout heldout eval evaluation",
}
_WORDS = {word: split for split, words in _SYNONYMS.items() for word in words.split()}
_FILLERS = frozenset(
    """
    set sets data dataset split subset seg part folder dir image images img imgs photo photos
    picture pictures samples public private the my unseen
    """.split()  # noqa: SIM905
)
"""Words that add nothing to the name of a split: train_set, test-images, seg_train."""
_SUFFIXES = ("dataset", "images", "data", "sets", "set")
_FOLD = re.compile(r"(?:cv|k)?[ _.-]*fold[ _.-]*(?:[0-9]{1,2}|(?<=[ _.-])[a-e])", re.IGNORECASE)


def split_named(name: str) -> Split | None:
    """The split that a whole name means, in any usual spelling: train, Training_Set, train2017,
    seg_test, hold-out, PublicTest; None for a name with any other word."""
    words = _words(name)
    if "".join(words) in ("holdout", "heldout"):  # hold-out
        return "test"
    found: set[Split] = set()
    for word in words:
        if word in _FILLERS:
            continue
        bare = next((word.removesuffix(s) for s in _SUFFIXES if word.endswith(s)), word)
        split = _WORDS.get(word) or _WORDS.get(bare)
        if split is None:
            return None
        found.add(split)
    return found.pop() if len(found) == 1 else None


def _words(name: str) -> list[str]:
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())  # trainSet
    return re.findall(r"[^\W\d_]+", spread.casefold())


def is_fold(name: str) -> bool:
    """Whether a whole name means a fold of cross-validation: fold1, Fold_2, cv-fold 3."""
    return _FOLD.fullmatch(name.strip()) is not None


def is_filler(name: str) -> bool:
    """Whether a name says nothing: images, data, my photos."""
    words = _words(name)
    return bool(words) and all(word in _FILLERS for word in words)


def split_mentioned(name: str) -> Split | None:
    """The only split whose word is in a name, beside any other words: trainA, cats (test)."""
    found = {_WORDS[word] for word in _words(name) if word in _WORDS}
    return found.pop() if len(found) == 1 else None


_NUMBERS = re.compile(r"(?:[-_.]?\d+(?:[-_.]of[-_.]?\d+)?|[-_.](?=[a-f]*\d)[0-9a-f]{8,})+$", re.I)


def splits_of_files(names: Sequence[str]) -> tuple[list[Split | None], list[Finding]]:
    """The splits of files by their names without ending, as train-00000-of-00002 or pets-test-0001,
    and findings about them.

    The last word of a longer name means a split only beside another split: none of cats_1, cats_2
    and cats_test is a split. A single file is not a split.
    """
    if len(names) < 2:
        return [None] * len(names), []
    bare = [_NUMBERS.sub("", name) for name in names]
    found = [split_named(name) if re.fullmatch(r"[^\W\d_]+", name) else None for name in bare]
    last = [split_named(re.split(r"[-_.]", name)[-1]) for name in bare]
    if len({*last} - {None}) > 1 or len({*last}) == 1:
        found = last
    if any(found):
        counts = Counter(split or "no split" for split in found)
        named = listed(f"{split} ({count:,})" for split, count in counts.items())
        message = f"The names of the files were read as splits: {named}."
        advice = "If they are not splits, rename the files."
        return found, [Finding("splits", "note" if all(found) else "warning", message, advice)]
    unread = tuple(name for name, split in zip(names, last, strict=True) if split)
    if not unread:
        return found, []
    message = f"{printable(unread[0])} was not read as a split: the other files are not splits."
    advice = "If it is a split, name all files after their splits, as train-0 and test-0."
    return found, [Finding("splits", "warning", message, advice, unread)]


def folders_as_splits(splits: Mapping[str, Split | None], where: str = "") -> tuple[Finding, ...]:
    """A finding about the folders that were read as splits, if any."""
    named = listed(f"{printable(name)} ({split})" for name, split in splits.items())
    return (Finding("splits", "note", f"Folders read as splits{where}: {named}."),) if named else ()
