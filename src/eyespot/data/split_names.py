"""Which names mean a split of a collection: the same words for folders, tables, files and zips."""

import re
from typing import Literal

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
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip())  # trainSet
    words = re.findall(r"[^\W\d_]+", spread.casefold())
    text = "".join(words)
    if text in ("holdout", "heldout"):  # hold-out
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


def is_fold(name: str) -> bool:
    """Whether a whole name means a fold of cross-validation: fold1, Fold_2, cv-fold 3."""
    return _FOLD.fullmatch(name.strip()) is not None
