"""Backbones: frozen networks, their weights and the blocks of features read from them.

The maps of many stages are pooled to their means (content), standard deviations (texture), and a
2 x 2 grid of means (position; spatial pyramid: Lazebnik, Schmid and Ponce, CVPR 2006). Model
selection picks blocks for a task; models/catalogue.py lists those that are worth their time.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
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
    from eyespot.models.convnet import ConvNet

DEFAULT = "efficientnet_lite0"
LOGITS = "logits"
"""The block of the network's own logits."""
CONFIDENCE = "imagenet.confidence"
"""One more column: the network's own top-1 probability among its classes, such as ImageNet's."""
FRESH = "fresh"
"""In place of the sha256: random weights, which run as fast as any."""
GREY = (0.299, 0.587, 0.114)
"""Luma of red, green and blue, for networks of one channel (ITU-R BT.601-7, 2.5.1)."""

POOLING = 3
"""Version of the pooling: raise it when the features of a photo change."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network with its weights, identified so that features can be cached and compared.

    `sha256`: of the weights' file, or `FRESH`. `blocks`: the features that are read: those of
    `Network.feature_blocks`, `LOGITS`, or whole maps (`stage.map`). `own`: the weights belong to
    one classifier and are part of its file.
    """

    name: str
    sha256: str
    preprocessing: Preprocessing
    blocks: tuple[str, ...]
    own: bool = False

    @classmethod
    def from_dict(cls, values: object) -> "Backbone":
        """From the values of a file: `name`, `sha256`, `preprocessing`, `blocks`, `own` (default
        False). Raises ValueError for invalid values."""
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
        """Key of the network, its weights, its pixels and its blocks."""
        pixels = self.preprocessing
        facts = (self.blocks, pixels.size, pixels.mean, pixels.std)
        name = self.name.replace(":", "_")  # it names files, too
        return f"{name}-{self.sha256[:16]}-{POOLING}-{crc32(repr(facts).encode()):08x}"

    @property
    def extractor(self) -> str:
        """Key of all that features depend on besides a photo's pixels."""
        preprocessing = self.preprocessing
        crop = f"-{preprocessing.crop_fraction}" if preprocessing.fit == "crop" else ""
        return f"{self.network}-{preprocessing.fit}{preprocessing.size}{crop}"

    @property
    def cache_key(self) -> str:
        """Key of all that features depend on besides the photo's file."""
        return f"{self.extractor}-{PIXELS}"

    @property
    def reads_logits(self) -> bool:
        """Whether the network's own logits are among the blocks."""
        return LOGITS in self.blocks

    @property
    def last(self) -> str:
        """The block that is the input of the network's own head."""
        return self.blocks[-1]


def load_backbone(name: str = DEFAULT, *, fetch: bool = True) -> Backbone:
    """Find the network called `name` and its weights, without importing torch.

    `name`: a network of the zoo, or a file of weights that eyespot wrote. `fetch`: download
    published weights that are not on this machine. Raises UsageError for an unknown name,
    WeightsError if the weights are missing or the file is not eyespot's.
    """
    if str(name).endswith(".safetensors"):
        return _own_backbone(Path(name))
    network = zoo.find(name)
    known = find_weights(network, fetch=fetch)
    whole = replace(known.preprocessing, fit="stretch")
    return Backbone(name, known.sha256, whole, network.feature_blocks)


def _own_backbone(path: Path) -> Backbone:
    if not path.is_file():
        raise UsageError(f"The file {path} does not exist. Train one with: eyespot train PHOTOS")
    metadata = read_metadata(path)
    if "eyespot-checkpoint" in metadata:
        raise WeightsError(
            f"{path} is a checkpoint of a training run. Use the trained weights: "
            f"{path.with_name('network.safetensors')}"
        )
    name = metadata.get("eyespot", "")
    if not name:
        raise WeightsError(
            f"{path} does not name its network. Import it with: eyespot weights NAME {path}"
        )
    network = zoo.find(name)
    whole = replace(read_description(network, path).preprocessing, fit="stretch")
    sha256 = keep_own(path.read_bytes())
    return Backbone(name, sha256, whole, network.feature_blocks, own=True)


def imagenet_backbone(name: str = DEFAULT) -> Backbone:
    """The network called `name` as an ImageNet classifier: cropped photos, `LOGITS`."""
    backbone = load_backbone(name)
    preprocessing = replace(backbone.preprocessing, fit="crop")
    return replace(backbone, preprocessing=preprocessing, blocks=(LOGITS,))


def fresh_backbone(name: str) -> Backbone:
    """The network with random weights, to measure its speed."""
    return Backbone(name, FRESH, zoo.find(name).preprocessing, (LOGITS,))


def load_network(backbone: Backbone) -> "ConvNet":
    """Build the network with its weights. Raises WeightsError if they are missing."""
    if backbone.own:
        with own_file(backbone.sha256) as trained:
            return zoo.create(backbone.name, weights=trained)
    return zoo.create(backbone.name, weights=None if backbone.sha256 == FRESH else "imagenet")
