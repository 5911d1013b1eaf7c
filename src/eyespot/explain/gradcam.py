"""Where a network looks: the parts of a photo that speak for one of its classes.

Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, section 3).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.transforms import Preprocessing, standardised
from eyespot.explain.colours import palette
from eyespot.models.convnet import ConvNet

SHOWN = 0.6
"""How much the colours cover the photo where the network looks most."""


def grad_cam(
    network: ConvNet,
    prepared: NDArray[np.uint8],
    preprocessing: Preprocessing,
    index: int | None = None,
) -> NDArray[np.float32]:
    """How much each place speaks for a class, float32 [h, w] in 0..1; zeros if none does.

    Each map of the last stage that still has places counts by the mean slope of the class's logit
    in it (equation 1); what speaks against the class is left out (equation 2). `prepared`: uint8
    [S, S, 3], as `activations.seen` gives it. `index`: of the class; None for the most probable.
    """
    pixels = torch.from_numpy(standardised(prepared, preprocessing)[None, : network.in_channels])
    with torch.enable_grad():
        maps = network.eval().forward_features(pixels.requires_grad_())
        *_, last = maps.values()
        logits = network.forward_head(last).flatten(1)[0]
        chosen = logits[int(logits.argmax()) if index is None else index]
        placed = [stage for stage in maps.values() if stage.shape[2] * stage.shape[3] > 1]
        (slopes,) = torch.autograd.grad(chosen, placed[-1])
    weights = slopes.mean((2, 3), keepdim=True)
    found = (weights * placed[-1].detach()).sum(1)[0].clamp(min=0)
    greatest = float(found.max())
    return np.asarray((found / greatest if greatest > 0 else found).numpy())


def overlaid(heat: NDArray[np.float32], prepared: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`heat` [h, w] in 0..1 over the photo it is of, uint8 [S, S, 3]."""
    side = prepared.shape[1], prepared.shape[0]
    smooth = np.asarray(Image.fromarray(heat).resize(side, Image.Resampling.BICUBIC)).clip(0, 1)
    colours = palette()[np.round(255 * smooth).astype(np.uint8)]
    cover = SHOWN * smooth[:, :, None]
    return np.round((1 - cover) * prepared + cover * colours).astype(np.uint8)
