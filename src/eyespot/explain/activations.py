"""Activation maps: the output of each stage of a network for one photo.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 2,
calls them feature activations.
"""

import numpy as np
import torch
from PIL import Image

from eyespot.arrays import F32, U8
from eyespot.data.transforms import Preprocessing, prepare, standardised
from eyespot.errors import UsageError
from eyespot.explain.colours import coloured
from eyespot.explain.sheet import grid, page, resized
from eyespot.models.convnet import ConvNet

PHOTO = 256
"""Smallest side of the photo on the page, in pixels, about."""


def network_input(network: ConvNet, pixels: U8, preprocessing: Preprocessing) -> U8:
    """A photo uint8 RGB [H, W, 3] as `network` gets it: uint8 [S, S, 3], grey for one channel."""
    prepared = prepare(pixels, preprocessing)
    if network.in_channels == 3:
        return prepared
    grey = np.asarray(Image.fromarray(prepared).convert("L"))
    return np.repeat(grey[:, :, None], 3, axis=2)


def activations(network: ConvNet, prepared: U8, preprocessing: Preprocessing) -> dict[str, F32]:
    """The maps [C, h, w] of every stage, in order, by name. `prepared`: by `network_input`.

    Puts the network into evaluation mode. Raises UsageError if it cannot take images of this size.
    """
    channels = standardised(prepared, preprocessing)[None, : network.in_channels]
    with torch.inference_mode():
        maps = network.eval().forward_features(torch.from_numpy(channels))
    return {name: stage[0].numpy() for name, stage in maps.items()}


def stage_called(name: str, stages: dict[str, F32]) -> F32:
    """The maps of stage `name`. Raises UsageError with the names if there is no such stage."""
    if name not in stages:
        raise UsageError(f"There is no stage called '{name}'; there are: {', '.join(stages)}.")
    return stages[name]


def draw_activations(maps: F32, prepared: U8, title: str) -> Image.Image:
    """A page with the network's input and every map [C, h, w] of one stage."""
    count, height, width = maps.shape
    photo = resized(prepared[None], max(PHOTO, *prepared.shape))[0]
    scale = "one scale for all" if height == width == 1 else "one scale per map"
    return page(
        title,
        [
            (f"network input, {prepared.shape[0]} x {prepared.shape[1]} pixels", photo),
            (
                f"{count:,} activation maps of {height} x {width}; bright: high, {scale}",
                grid(coloured(maps)),
            ),
        ],
    )
