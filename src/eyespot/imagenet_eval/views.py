"""The views of a picture over which a network's answers are averaged.

One crop at the centre is how networks are usually compared. Ten crops are the four corners and the
centre of the picture's central square, and their mirror images (Krizhevsky, Sutskever and Hinton
2012, sections 2 and 4.1). Several scales are several lengths of the short side that crops of one
size are taken from (Simonyan and Zisserman 2014, section 3.2). Both average the probabilities.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eyespot.data.transforms import CENTRE, Preprocessing, prepare
from eyespot.errors import UsageError

LARGEST = 4096
"""Pixels of the longest short side; a crop of a longer one shows next to nothing."""

CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Views:
    """`crops`: 1 or 10. `scales`: the short sides, in pixels, that the crops are taken from; none
    for the network's own. Raises UsageError for crops or scales that cannot be."""

    preprocessing: Preprocessing
    crops: int = 1
    scales: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.crops not in (1, 10):
            raise UsageError(f"Expected 1 or 10 crops, not {self.crops}.")
        size = self.preprocessing.size
        if self.scales and min(self.scales) < size:
            raise UsageError(
                f"The network sees crops of {size} x {size} pixels; a short side of "
                f"{min(self.scales)} is too small for them. Give scales of {size} or more."
            )
        if self.scales and max(self.scales) > LARGEST:
            raise UsageError(
                f"A short side of {max(self.scales)} pixels is more than the {LARGEST} that are "
                f"looked at. Give scales of {size} to {LARGEST}."
            )
        if len(set(self.scales)) < len(self.scales):
            raise UsageError("A scale is named twice. Name each once.")

    @property
    def short_sides(self) -> tuple[int, ...]:
        """The scales in pixels, the network's own among them."""
        own = round(self.preprocessing.size / self.preprocessing.crop_fraction)
        return self.scales or (own,)

    def __len__(self) -> int:
        return self.crops * len(self.short_sides)

    def __str__(self) -> str:
        crops = "the centre crop" if self.crops == 1 else "ten crops"
        sides = " and ".join(map(str, self.short_sides))
        return f"{crops} of {self.preprocessing.size}, short side {sides}"

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """All views of a picture: uint8 RGB [H, W, 3] -> uint8 [len(self), size, size, 3]."""
        size, own = self.preprocessing.size, self.preprocessing.crop_fraction
        places = (CENTRE,) if self.crops == 1 else (*CORNERS, CENTRE)
        views = []
        for fraction in [size / side for side in self.scales] or [own]:
            fitted = replace(self.preprocessing, fit="crop", crop_fraction=fraction)
            views += [prepare(pixels, fitted, place=place) for place in places]
        if self.crops == 10:
            views += [view[:, ::-1] for view in views]
        return np.stack(views)
