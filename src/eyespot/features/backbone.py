"""A frozen network as a feature extractor: which numbers a photo is described by.

Every stage but the last is described by the mean, the standard deviation and the 2 x 2 grid of
means of each of its maps; the last by the mean that the network's own classifier uses. Means say
what there is, deviations how it varies (texture), the grid where it is (spatial pyramid, Lazebnik
et al. 2006). Which of them serve a task is decided later; computing all costs next to nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eyespot.data.transforms import Preprocessing
from eyespot.models import registry, weights

if TYPE_CHECKING:
    from torch import nn

DEFAULT = "efficientnet_lite0"
CONFIDENCE = "imagenet.confidence"
"""One more column: the probability of the network's own first guess among the ImageNet classes."""

POOLING_VERSION = 1
"""Part of the cache's key: raise it when the numbers below change."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network with its ImageNet weights, identified so that features can be kept and compared.

    `sha256`: of the weights' file. `preprocessing`: how photos are fitted for features.
    """

    name: str
    sha256: str
    preprocessing: Preprocessing

    @property
    def network(self) -> str:
        """The network, its weights and what is read from it."""
        return f"{self.name}-{self.sha256[:16]}-v{POOLING_VERSION}"

    @property
    def extractor(self) -> str:
        """All that features depend on besides the photo; part of the cache's key."""
        return f"{self.network}-{self.preprocessing.fit}{self.preprocessing.size}"


def load_backbone(name: str = DEFAULT) -> Backbone:
    """Find the network called `name` and its weights. Imports no torch.

    Raises UsageError for an unknown name, WeightsError if the weights are not installed.
    """
    network = registry.find(name)
    judged = network.preprocessing
    whole = Preprocessing(judged.size, judged.mean, judged.std, fit="stretch")
    return Backbone(name, weights.sha256_of(weights.find_weights(network)), whole)


def build_extractor(backbone: Backbone) -> tuple["nn.Module", dict[str, int]]:
    """The torch module that turns pictures into features, and the width of each block.

    The module maps uint8 RGB [N, S, S, 3] to features float32 [N, D].
    Blocks are named `stage.pooling`, for example "stage4.std", in column order.
    """
    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn

    network = registry.find(backbone.name)
    stages = network.feature_stages

    class Extractor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network: Any = registry.create(backbone.name, weights="imagenet")
            preprocessing = backbone.preprocessing
            self.mean = nn.Buffer(torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
            self.std = nn.Buffer(torch.tensor(preprocessing.std).view(1, 3, 1, 1))

        def blocks(self, maps: dict[str, Tensor], logits: Tensor) -> dict[str, Tensor]:
            blocks = {}
            for stage in stages[:-1]:
                blocks[f"{stage}.mean"] = maps[stage].mean((2, 3))
                blocks[f"{stage}.std"] = maps[stage].std((2, 3), correction=0)
                blocks[f"{stage}.grid"] = F.adaptive_avg_pool2d(maps[stage], 2).flatten(1)
            blocks[f"{stages[-1]}.mean"] = maps[stages[-1]].mean((2, 3))
            blocks[CONFIDENCE] = logits.softmax(1).amax(1, keepdim=True)
            return blocks

        def forward(self, pictures: Tensor) -> Tensor:
            x = (pictures.permute(0, 3, 1, 2).float() - self.mean) / self.std
            maps = self.network.forward_features(x)
            logits = self.network.forward_head(maps[stages[-1]])
            return torch.cat(list(self.blocks(maps, logits).values()), dim=1)

    extractor = Extractor().eval().requires_grad_(False)
    size = backbone.preprocessing.size
    with torch.inference_mode():
        maps = extractor.network.forward_features(torch.zeros(1, 3, size, size))
        logits = extractor.network.forward_head(maps[stages[-1]])
        widths = {name: block.shape[1] for name, block in extractor.blocks(maps, logits).items()}
    return extractor, widths
