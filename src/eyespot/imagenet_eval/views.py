"""Views of an image over which a network's probabilities are averaged.

Networks are usually compared on one centre crop. Ten crops are the four corners and the centre of
the image's central square, and their mirror images (Krizhevsky, Sutskever and Hinton 2012, sections
2 and 4.1). Several scales are several short sides from which crops of one size are taken (Simonyan
and Zisserman 2014, section 3.2).
"""

from dataclasses import dataclass, replace

import numpy as np

from eyespot.arrays import U8
from eyespot.data.transforms import CENTRE, Preprocessing, prepare
from eyespot.errors import UsageError

LARGEST = 4096
"""Pixels of the longest short side; a crop of a longer one covers too little of the image."""

CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Views:
    """`crops`: 1 or 10. `scales`: short sides in pixels from which crops are taken; empty for the
    network's own. Raises UsageError for other crops and scales."""

    preprocessing: Preprocessing
    crops: int = 1
    scales: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.crops not in (1, 10):
            raise UsageError(f"Expected 1 or 10 crops, not {self.crops}.")
        size = self.preprocessing.size
        if self.scales and min(self.scales) < size:
            raise UsageError(
                f"The network's input has {size} x {size} pixels; a short side of "
                f"{min(self.scales)} is too small. Give scales of {size} or more."
            )
        if self.scales and max(self.scales) > LARGEST:
            raise UsageError(
                f"A short side of {max(self.scales)} pixels exceeds the limit of {LARGEST}. "
                f"Give scales of {size} to {LARGEST}."
            )
        if len(set(self.scales)) < len(self.scales):
            raise UsageError("A scale is given twice. Give each once.")

    @property
    def short_sides(self) -> tuple[int, ...]:
        """The scales, or the network's own short side, in pixels."""
        own = round(self.preprocessing.size / self.preprocessing.crop_fraction)
        return self.scales or (own,)

    def __len__(self) -> int:
        return self.crops * len(self.short_sides)

    def __str__(self) -> str:
        crops = "the centre crop" if self.crops == 1 else "ten crops"
        sides = " and ".join(map(str, self.short_sides))
        return f"{crops} of {self.preprocessing.size}, short side {sides}"

    def of(self, pixels: U8) -> U8:
        """All views of an image: uint8 RGB [H, W, 3] -> uint8 [len(self), size, size, 3]."""
        size, own = self.preprocessing.size, self.preprocessing.crop_fraction
        places = (CENTRE,) if self.crops == 1 else (*CORNERS, CENTRE)
        views = []
        for fraction in [size / side for side in self.scales] or [own]:
            fitted = replace(self.preprocessing, fit="crop", crop_fraction=fraction)
            views += [prepare(pixels, fitted, place=place) for place in places]
        if self.crops == 10:
            views += [view[:, ::-1] for view in views]
        return np.stack(views)
