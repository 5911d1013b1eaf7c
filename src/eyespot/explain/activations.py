"""What a network finds in a photo: the feature maps of its stages.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 2,
calls them feature activations.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.transforms import Preprocessing, prepare, standardised
from eyespot.errors import UsageError
from eyespot.explain.colours import coloured
from eyespot.explain.sheet import grid, page, resized
from eyespot.models.convnet import ConvNet

PHOTO = 256
"""About the least side, in pixels, at which the photo is shown."""


def seen(
    network: ConvNet, pixels: NDArray[np.uint8], preprocessing: Preprocessing
) -> NDArray[np.uint8]:
    """A photo uint8 RGB [H, W, 3] as `network` sees it: uint8 [S, S, 3], grey if it sees no
    colours."""
    prepared = prepare(pixels, preprocessing)
    if network.in_channels == 3:
        return prepared
    grey = np.asarray(Image.fromarray(prepared).convert("L"))
    return np.repeat(grey[:, :, None], 3, axis=2)


def activations(
    network: ConvNet, prepared: NDArray[np.uint8], preprocessing: Preprocessing
) -> dict[str, NDArray[np.float32]]:
    """The maps [C, h, w] of every stage, in order, by name, for a photo that `seen` prepared.

    The network is put into evaluation mode, as for predicting. Raises UsageError if it cannot take
    pictures of this size.
    """
    channels = standardised(prepared, preprocessing)[None, : network.in_channels]
    with torch.inference_mode():
        maps = network.eval().forward_features(torch.from_numpy(channels))
    return {name: stage[0].numpy() for name, stage in maps.items()}


def stage_called(name: str, stages: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """The maps of one stage. Raises UsageError, with the names, if there is none called `name`."""
    if name not in stages:
        raise UsageError(f"There is no stage called '{name}'; there are: {', '.join(stages)}.")
    return stages[name]


def draw_activations(
    maps: NDArray[np.float32], prepared: NDArray[np.uint8], title: str
) -> Image.Image:
    """A page with the photo that the network saw, and every map [C, h, w] of one of its stages."""
    count, height, width = maps.shape
    photo = resized(prepared[None], max(PHOTO, *prepared.shape))[0]
    scale = "one scale for all" if height == width == 1 else "each on its own scale"
    return page(
        title,
        [
            (f"the photo, {prepared.shape[0]} x {prepared.shape[1]} pixels", photo),
            (
                f"{count} maps of {height} x {width}: dark is little, bright is much, {scale}",
                grid(coloured(maps)),
            ),
        ],
    )
