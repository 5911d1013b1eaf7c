"""The class of an image of ImageNet, from its folder, its name or a label."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

from eyespot.data.photos import Source
from eyespot.weights.imagenet_names import imagenet_table

CLASSES = 1000


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """`truth`: the class, 0 to 999. `name`: unique in its source. `size`: bytes of the file.
    `modified`: when the file, or its shard, was written, in ns."""

    name: str
    truth: int
    source: Source
    size: int
    modified: int


def class_of(path: PurePath) -> int | None:
    """The class of a file in a folder named by a wnid such as n01440764, or of one of the 50,000
    files of the challenge's validation set; None for others."""
    named = _wnids().get(path.parent.name)
    return _validation().get(path.stem) if named is None else named


def class_in(text: str) -> int | None:
    """The class of a label: 0 to 999 in the order of the challenge, or a wnid; None for others."""
    text = text.strip()
    if re.fullmatch("0{0,9}[0-9]{1,3}", text):
        return int(text)
    return _wnids().get(text)


@cache
def _wnids() -> dict[str, int]:
    table: dict[str, int] = imagenet_table("imagenet21k_to_1k.json")
    return table


@cache
def _validation() -> dict[str, int]:
    table: dict[str, int] = imagenet_table("val_image_to_1k_label.json")
    return {name.partition(".")[0]: index for name, index in table.items()}
