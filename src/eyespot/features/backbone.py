"""A frozen network as a feature extractor: which numbers a photo is described by.

Maps of many stages are pooled to their means, which say what there is, their standard deviations,
which say how it varies (texture), and a 2 x 2 grid of means, which says where it is (spatial
pyramid: Lazebnik, Schmid and Ponce, CVPR 2006). Which of them serve a task is decided later;
see models/catalogue.py for which of them are worth their time.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from eyespot.data.transforms import PIXELS, Preprocessing
from eyespot.errors import UsageError, WeightsError
from eyespot.features.own_weights import keep_own, own_file
from eyespot.limits import MAX_NETWORK_NAME
from eyespot.values import digest, mapping, names, text, truth
from eyespot.weights import zoo
from eyespot.weights.find import find_weights
from eyespot.weights.store import read_description, read_metadata

if TYPE_CHECKING:
    from torch import nn

    from eyespot.models.convnet import ConvNet

DEFAULT = "efficientnet_lite0"
LOGITS = "logits"
"""The block of what the network's own head says; its features are not pooled maps."""
CONFIDENCE = "imagenet.confidence"
"""One more column: the probability of the network's own first guess among the ImageNet classes."""
FRESH = "fresh"
"""In the place of the sha256: fresh random weights, which run as fast as any."""
GREY = (0.299, 0.587, 0.114)
"""For networks of one channel: how bright red, green and blue are (ITU-R BT.601-7, 2.5.1)."""

POOLING = 3
"""How maps are pooled: raise it when the numbers below change."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network with its weights, identified so that features can be kept and compared.

    `sha256`: of the weights' file, or `FRESH`. `preprocessing`: how photos are fitted for
    features. `blocks`: what is read from it: those of `Network.feature_blocks`, `LOGITS`, or whole
    maps (`stage.map`). `own`: the weights belong to one classifier and travel with it.
    """

    name: str
    sha256: str
    preprocessing: Preprocessing
    blocks: tuple[str, ...]
    own: bool = False

    @classmethod
    def from_dict(cls, values: object) -> "Backbone":
        """By what a file says of it: `name`, `sha256`, `preprocessing`, `blocks`, and `own`, False
        if left out. Raises ValueError for what no backbone has."""
        found = mapping(values, "the backbone")
        return cls(
            text(found.get("name"), "the backbone's name", MAX_NETWORK_NAME),
            digest(found.get("sha256"), "the sha256 of its weights"),
            Preprocessing.from_dict(found.get("preprocessing")),
            names(found.get("blocks"), "the backbone's blocks"),
            truth(found.get("own", False), "own"),
        )

    @property
    def network(self) -> str:
        """The network, its weights, what they expect of pixels, and what is read from it."""
        pixels = self.preprocessing
        facts = (self.blocks, pixels.size, pixels.mean, pixels.std)
        name = self.name.replace(":", "_")  # it names files, too
        return f"{name}-{self.sha256[:16]}-{POOLING}-{crc32(repr(facts).encode()):08x}"

    @property
    def extractor(self) -> str:
        """All that features depend on besides a photo's pixels."""
        preprocessing = self.preprocessing
        crop = f"-{preprocessing.crop_fraction}" if preprocessing.fit == "crop" else ""
        return f"{self.network}-{preprocessing.fit}{preprocessing.size}{crop}"

    @property
    def cache_key(self) -> str:
        """All that features depend on besides the photo's file."""
        return f"{self.extractor}-{PIXELS}"

    @property
    def answers(self) -> bool:
        """Whether the network's own head is read."""
        return LOGITS in self.blocks

    @property
    def last(self) -> str:
        """The block that the network's own head reads."""
        return self.blocks[-1]


def load_backbone(name: str = DEFAULT, *, fetch: bool = True) -> Backbone:
    """Find the network called `name` and its weights. Imports no torch.

    `name`: of the zoo, or a file of weights that eyespot wrote. `fetch`: download them if they are
    published and not on this machine. Raises UsageError for an unknown name, WeightsError if there
    are no weights, or the file is not one of eyespot's.
    """
    if str(name).endswith(".safetensors"):
        return _own_backbone(Path(name))
    network = zoo.find(name)
    known = find_weights(network, fetch=fetch)
    whole = replace(known.preprocessing, fit="stretch")
    return Backbone(name, known.sha256, whole, network.feature_blocks)


def _own_backbone(path: Path) -> Backbone:
    if not path.is_file():
        raise UsageError(f"There is no file {path}. Train a network with: eyespot train PHOTOS")
    metadata = read_metadata(path)
    if "eyespot-checkpoint" in metadata:
        raise WeightsError(
            f"{path} is the state of a training run. Use the weights that came of it: "
            f"{path.with_name('network.safetensors')}"
        )
    name = metadata.get("eyespot", "")
    if not name:
        raise WeightsError(
            f"{path} does not say which network it is of. Import it with: eyespot weights NAME "
            f"{path}"
        )
    network = zoo.find(name)
    whole = replace(read_description(network, path).preprocessing, fit="stretch")
    sha256 = keep_own(path.read_bytes())
    return Backbone(name, sha256, whole, network.feature_blocks, own=True)


def judged_backbone(name: str = DEFAULT) -> Backbone:
    """The network called `name` as its own classifier: cropped photos, read at its `LOGITS`."""
    backbone = load_backbone(name)
    preprocessing = replace(backbone.preprocessing, fit="crop")
    return replace(backbone, preprocessing=preprocessing, blocks=(LOGITS,))


def fresh_backbone(name: str) -> Backbone:
    """As `judged_backbone`, with fresh weights: what it says means nothing, but takes its time."""
    return Backbone(name, FRESH, zoo.find(name).preprocessing, (LOGITS,))


def load_network(backbone: Backbone) -> "ConvNet":
    """The network itself, with its weights. Raises WeightsError if they are not there."""
    if backbone.own:
        with own_file(backbone.sha256) as trained:
            return zoo.create(backbone.name, weights=trained)
    return zoo.create(backbone.name, weights=None if backbone.sha256 == FRESH else "imagenet")


def build_extractor(backbone: Backbone) -> tuple["nn.Module", dict[str, int]]:
    """The torch module that turns pictures into features, and the width of each block.

    The module maps uint8 RGB [N, S, S, 3] to features float32 [N, D]; its `maps` gives the stages'
    maps by name, its `features` what becomes of these, by block.
    Blocks are named `stage.pooling`, for example "stage4.std", in column order; where all are
    pooled maps, `CONFIDENCE` follows them. Raises WeightsError if there is no such stage.
    """
    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn

    size = backbone.preprocessing.size
    whole = any(block.endswith(".map") for block in backbone.blocks)

    def pooled(maps: dict[str, Tensor], block: str) -> Tensor:
        name, _, pooling = block.rpartition(".")
        if name not in maps:
            raise WeightsError(
                f"Expected a stage of {backbone.name} ({', '.join(maps)}), got {name!r}. The file "
                "that asks for it is damaged, or of another eyespot."
            )
        x = maps[name]
        if pooling == "map":
            return x.flatten(1)
        if pooling == "grid":
            return F.adaptive_avg_pool2d(x, 2).flatten(1)
        mean = x.mean((2, 3))
        if pooling == "std":  # from the mean square: one reading of the maps instead of two
            return ((x * x).mean((2, 3)) - mean * mean).clamp(min=0).sqrt()
        return mean

    class Extractor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network: Any = load_network(backbone)
            for layer in self.network.modules():
                # An activation in place may change maps that others have: a stage's that is read,
                # or the input of a layer that only reshapes, which OpenVINO cannot convert.
                if hasattr(layer, "inplace"):
                    setattr(layer, "inplace", False)  # noqa: B010 - of many classes
            preprocessing = backbone.preprocessing
            self.mean = nn.Buffer(torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
            self.std = nn.Buffer(torch.tensor(preprocessing.std).view(1, 3, 1, 1))

        def maps(self, pictures: Tensor) -> dict[str, Tensor]:
            x = (pictures.permute(0, 3, 1, 2).float() - self.mean) / self.std
            if self.network.in_channels == 1:
                x = (x * x.new_tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
            maps: dict[str, Tensor] = self.network.forward_features(x)
            return maps

        def features(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
            *_, last = maps.values()
            logits = self.network.forward_head(last).flatten(1)
            features = {
                block: logits if block == LOGITS else pooled(maps, block)
                for block in backbone.blocks
            }
            if not backbone.answers and not whole:
                features[CONFIDENCE] = logits.softmax(1).amax(1, keepdim=True)
            return features

        def forward(self, pictures: Tensor) -> Tensor:
            return torch.cat(list(self.features(self.maps(pictures)).values()), dim=1)

    extractor = Extractor().eval().requires_grad_(False)
    with torch.inference_mode():
        maps = extractor.maps(torch.zeros(1, size, size, 3, dtype=torch.uint8))
        features = extractor.features(maps)
    return extractor, {name: values.shape[1] for name, values in features.items()}
