"""The torch module that computes a backbone's features from images."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.errors import WeightsError
from eyespot.features.backbone import CONFIDENCE, GREY, LOGITS, Backbone, load_network


class Extractor(nn.Module):
    """uint8 RGB [N, S, S, 3] -> features float32 [N, D].

    Raises WeightsError if the network lacks a stage of the backbone's blocks.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.with_confidence = not backbone.reads_logits and not any(
            block.endswith(".map") for block in backbone.blocks
        )
        self.network: Any = load_network(backbone)
        for layer in self.network.modules():
            # An in-place activation may change maps that others need: those of a stage, or the
            # input of a layer that only reshapes, which OpenVINO cannot convert.
            if hasattr(layer, "inplace"):
                setattr(layer, "inplace", False)  # noqa: B010 - of many classes
        preprocessing = backbone.preprocessing
        self.mean = nn.Buffer(torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
        self.std = nn.Buffer(torch.tensor(preprocessing.std).view(1, 3, 1, 1))

    def maps(self, images: Tensor) -> dict[str, Tensor]:
        """The maps of each stage, by name, [N, C, h, w]."""
        x = (images.permute(0, 3, 1, 2).float() - self.mean) / self.std
        if self.network.in_channels == 1:
            x = (x * x.new_tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
        maps: dict[str, Tensor] = self.network.forward_features(x)
        return maps

    def features(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """The features [N, d] of each block."""
        *_, last = maps.values()
        logits = self.network.forward_head(last).flatten(1)
        features = {
            block: logits if block == LOGITS else self._pooled(maps, block)
            for block in self.backbone.blocks
        }
        if self.with_confidence:
            features[CONFIDENCE] = logits.softmax(1).amax(1, keepdim=True)
        return features

    def _pooled(self, maps: dict[str, Tensor], block: str) -> Tensor:
        name, _, pooling = block.rpartition(".")
        if name not in maps:
            raise WeightsError(
                f"Expected a stage of {self.backbone.name} ({', '.join(maps)}), got {name!r}. The "
                "file is damaged, or another version of eyespot wrote it."
            )
        x = maps[name]
        if pooling == "map":
            return x.flatten(1)
        if pooling == "grid":
            return F.adaptive_avg_pool2d(x, 2).flatten(1)
        mean = x.mean((2, 3))
        if pooling == "std":  # from the mean square: one pass over the maps instead of two
            return ((x * x).mean((2, 3)) - mean * mean).clamp(min=0).sqrt()
        return mean

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(list(self.features(self.maps(images)).values()), dim=1)


def build_extractor(backbone: Backbone) -> tuple[Extractor, dict[str, int]]:
    """The module for `backbone`, and the width of each block, in the order of the columns.

    Blocks are named `stage.pooling`, such as "stage4.std"; `CONFIDENCE` follows them where all are
    pooled maps.
    """
    size = backbone.preprocessing.size
    extractor = Extractor(backbone).eval().requires_grad_(False)
    with torch.inference_mode():
        maps = extractor.maps(torch.zeros(1, size, size, 3, dtype=torch.uint8))
        features = extractor.features(maps)
    return extractor, {name: values.shape[1] for name, values in features.items()}
