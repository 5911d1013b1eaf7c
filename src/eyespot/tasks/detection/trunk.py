"""The frozen maps of three strides as one at the finest: standardised, projected, added.

Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, section 3.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def group_norm(width: int) -> nn.GroupNorm:
    """Groups of 8 channels."""
    return nn.GroupNorm(max(width // 8, 1), width)


class Trunk(nn.Module):
    """Maps [N, C, h, w] at STRIDES -> [N, width, h, w] at the first of them.

    `mean`, `deviation`: of each channel over the training photos, one tensor [C] a map.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int,
        mean: Sequence[Tensor] | None = None,
        deviation: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        for number, count in enumerate(channels):
            shift = torch.zeros(count) if mean is None else mean[number]
            scale = torch.ones(count) if deviation is None else deviation[number]
            self.register_buffer(f"mean{number}", shift.reshape(1, -1, 1, 1))
            self.register_buffer(f"deviation{number}", scale.reshape(1, -1, 1, 1))
        self.norm = group_norm(width)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        size = maps[0].shape[-2:]
        parts = []
        for number, (layer, values) in enumerate(zip(self.lateral, maps, strict=True)):
            shift, scale = self.get_buffer(f"mean{number}"), self.get_buffer(f"deviation{number}")
            part = layer((values - shift) / scale)
            if number:
                part = F.interpolate(part, size=size, mode="bilinear", align_corners=False)
            parts.append(part)
        return F.relu(self.norm(sum(parts)))
