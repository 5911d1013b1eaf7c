"""Grad-CAM: the areas of a photo that raise the score of a class.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, section 3.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eyespot.arrays import F32, U8
from eyespot.data.transforms import Preprocessing, standardised
from eyespot.features.backbone import Backbone
from eyespot.features.extractor import build_extractor
from eyespot.heads.torch_scorers import scorer_module, signed_roots
from eyespot.models.convnet import ConvNet
from eyespot.tasks.classification.classifier import Classifier


def grad_cam(
    network: ConvNet, prepared: U8, preprocessing: Preprocessing, index: int | None = None
) -> F32:
    """Grad-CAM of a class of the network's own head, float32 [h, w] in 0..1.

    The maps of the last stage larger than one pixel are weighted by the mean gradient of the
    class's logit (equation 1); negative sums become zero (equation 2). `prepared`: uint8 [S, S, 3]
    by `activations.network_input`. `index`: of the class; None for the most probable.
    """
    pixels = torch.from_numpy(standardised(prepared, preprocessing)[None, : network.in_channels])
    with torch.enable_grad():
        maps = network.eval().forward_features(pixels.requires_grad_())
        *_, last = maps.values()
        logits = network.forward_head(last).flatten(1)[0]
        chosen = logits[int(logits.argmax()) if index is None else index]
        return _cam(maps, chosen)


def attention(classifier: Classifier, prepared: U8, index: int) -> F32:
    """As `grad_cam`, for class `index` of a classifier with any head.

    The maps are those of the last stage that the head reads. Features of earlier stages do not
    show, nor does the standard deviation of maps (`std`), whose mean gradient is zero. An
    occlusion map shows both.
    """
    extractor = _extractor(classifier.backbone)
    pixels = torch.from_numpy(prepared[None].astype(np.float32)).requires_grad_()
    with torch.enable_grad():
        maps = extractor.maps(pixels)
        features = extractor.features(maps)
        seen = torch.cat([features[block] for block in classifier.recipe.blocks], dim=1)
        scores = scorer_module(classifier.scorer)(signed_roots(seen))
        return _cam(maps, scores[0, index])


@lru_cache(maxsize=2)
def _extractor(backbone: Backbone) -> Any:
    return build_extractor(backbone)[0]


def _cam(maps: Mapping[str, Tensor], score: Tensor) -> F32:
    """The map of `score` at the last stage larger than one pixel that `score` depends on.

    A single zero if there is none, as in networks of fully connected layers.
    """
    placed = [stage for stage in maps.values() if stage.shape[2] * stage.shape[3] > 1]
    for stage in reversed(placed):
        found: tuple[Tensor | None, ...]
        found = torch.autograd.grad(score, stage, retain_graph=True, allow_unused=True)
        slopes = found[0]
        if slopes is None:
            continue
        # A root has no gradient at zero, the standard deviation of a constant map has none either.
        weights = slopes.nan_to_num(0, 0, 0).mean((2, 3), keepdim=True)
        heat = (weights * stage.detach()).sum(1)[0].clamp(min=0)
        greatest = float(heat.max())
        return np.asarray((heat / greatest if greatest > 0 else heat).numpy())
    return np.zeros((1, 1), np.float32)
