"""Which names mean a split of a collection: the same words for folders, tables, files and zips."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from eyespot.data.finding import Finding
from eyespot.data.photos import printable

Split = Literal["train", "val", "test"]

_WORDS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "trainval": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "development": "val",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "holdout": "test",
    "heldout": "test",
    "eval": "test",
    "evaluation": "test",
}
_FILLERS = frozenset(
    (
        *("set", "sets", "data", "dataset", "split", "subset", "seg", "part", "folder", "dir"),
        *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "samples"),
        *("public", "private", "the", "my", "unseen"),
    )
)
"""Words that stand beside a split's and add nothing: train_set, test-images, seg_train."""
_SUFFIXES = ("dataset", "images", "data", "sets", "set")
_FOLD = re.compile(r"(?:cv|k)?[ _.-]*fold[ _.-]*(?:[0-9]{1,2}|(?<=[ _.-])[a-e])", re.IGNORECASE)


def split_named(name: str) -> Split | None:
    """The split that a whole name means, in any spelling that is in use: train, Training_Set,
    train2017, seg_test, hold-out, PublicTest; None if it means none, or holds another word."""
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
    """Whether a name says no more than that something is in it: images, data, my photos."""
    words = _words(name)
    return bool(words) and all(word in _FILLERS for word in words)


def split_mentioned(name: str) -> Split | None:
    """The only split whose word is in a name, whatever stands beside it: trainA, cats (test)."""
    found = {_WORDS[word] for word in _words(name) if word in _WORDS}
    return found.pop() if len(found) == 1 else None


_NUMBERS = re.compile(r"(?:[-_.]?\d+(?:[-_.]of[-_.]?\d+)?|[-_.](?=[a-f]*\d)[0-9a-f]{8,})+$", re.I)


def splits_of_files(names: Sequence[str]) -> tuple[list[Split | None], list[Finding]]:
    """The splits that files without their endings say together, as train-00000-of-00002 or
    pets-test-0001, and what a person should know about that.

    One word that ends a longer name means a split only beside another split: of cats_1, cats_2 and
    cats_test none is one. A single file is no split.
    """
    bare = [_NUMBERS.sub("", name) for name in names]
    whole = [split_named(name) if re.fullmatch(r"[^\W\d_]+", name) else None for name in bare]
    last = [split_named(re.split(r"[-_.]", name)[-1]) for name in bare]
    if len(names) < 2:
        return [None] * len(names), []
    found = whole
    if len({split for split in last if split}) > 1 or len(set(last)) == 1:
        found = last
    findings = []
    if any(found):
        counts = Counter(split or "no split" for split in found)
        said = ", ".join(f"{split} ({count})" for split, count in counts.items())
        findings = [
            Finding(
                "splits",
                "note" if all(found) else "warning",
                f"The names of the files were read as splits: {said}.",
                "If they are none, rename the files.",
            )
        ]
    elif unread := [name for name, split in zip(names, last, strict=True) if split]:
        findings = [
            Finding(
                "splits",
                "warning",
                f"{printable(unread[0])} was not read as a split: the other files are none.",
                "If it is one, name all files after their splits, as train-0 and test-0.",
                tuple(unread),
            )
        ]
    return found, findings


def folders_as_splits(splits: Mapping[str, Split | None], where: str = "") -> tuple[Finding, ...]:
    """Which folders were read as splits, by their names; nothing without any."""
    said = ", ".join(f"{printable(name)} ({split})" for name, split in splits.items())
    message = f"Folders read as splits{where}: {said}."
    return (Finding("splits", "note", message, ""),) if said else ()
