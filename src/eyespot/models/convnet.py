"""The base of the zoo's networks: named stages in sequence, and a head."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from eyespot.errors import UsageError
from eyespot.forking import in_children
from eyespot.models.layers import LinearHead


@in_children
def _compute_alone() -> None:
    """Use one thread: a forked child does not have torch's threads, and would wait for them."""
    torch.set_num_threads(1)


class ConvNet(nn.Module):
    """float32 [N, in_channels, H, W] -> output of the head; for classifiers logits [N, K].

    `stages`: the boxes of the papers' figures, by name. `head`: builds the head from the numbers of
    features and classes. `num_features`: channels of the last stage. `min_size`: the least height
    and width in pixels; with `fixed_size` the only one, for networks with fully connected layers.
    """

    head_names: tuple[str, ...] = ("head.", "auxiliary")
    """Prefixes of the tensors whose shape depends on the number of classes."""

    def __init__(
        self,
        stages: Mapping[str, nn.Module],
        in_channels: int,
        num_features: int,
        num_classes: int,
        head: Callable[[int, int], nn.Module] = LinearHead,
        *,
        min_size: int = 1,
        fixed_size: bool = False,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.in_channels = in_channels
        self.min_size = min_size
        self.fixed_size = fixed_size
        self.stages = nn.ModuleDict(stages)
        self._make_head = head
        self.head = head(num_features, num_classes)

    def forward_features(self, x: Tensor) -> dict[str, Tensor]:
        """The maps after each stage, in order, each [N, C, h, w].

        Raises UsageError if the network cannot take images of this shape.
        """
        self._check(x)
        maps = {}
        for name, stage in self.stages.items():
            x = stage(x)
            maps[name] = x
        return maps

    def forward_head(self, maps: Tensor) -> Tensor:
        """The head's output for the last stage's maps."""
        out: Tensor = self.head(maps)
        return out

    def forward(self, x: Tensor) -> Tensor:
        *_, last = self.forward_features(x).values()
        return self.forward_head(last)

    def reset_head(self, num_classes: int) -> None:
        """Replace the head by one with random weights for `num_classes` classes.

        Raises UsageError for fewer than one class.
        """
        if num_classes < 1:
            raise UsageError(f"num_classes must be 1 or more, not {num_classes}.")
        old = next(self.parameters())
        self.head = self._make_head(self.num_features, num_classes).to(old.device, old.dtype)

    def _check(self, x: Tensor) -> None:
        side = self.min_size
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise UsageError(
                f"Expected images of shape [N, {self.in_channels}, H, W], got {tuple(x.shape)}."
            )
        height, width = x.shape[2:]
        if self.fixed_size and not height == width == side:
            raise UsageError(
                f"This network takes images of {side} x {side} pixels only, got {height} x "
                f"{width}. Resize them, or choose a network without this limit."
            )
        if height < side or width < side:
            raise UsageError(
                f"This network takes images of {side} x {side} pixels or more, got {height} x "
                f"{width}. Enlarge them, or choose a network for small images."
            )
