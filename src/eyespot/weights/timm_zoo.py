"""Any network of timm as one of ours: `zoo.find("timm:resnet50d")`.

The store's file also describes the network, so finding one whose weights are in the store imports
neither timm nor torch.
"""

import json
import re
from functools import cache
from pathlib import Path

from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError, WeightsError
from eyespot.models.catalogue import TIMM_PREFIX, Network, Paper
from eyespot.nearest import nearest_name
from eyespot.weights.store import Pretrained, read_metadata, store_file

TIMM = Paper("Wightman", "PyTorch Image Models", 2019)
NAME = re.compile(r"\w+(\.\w+)?")
"""An architecture, and after a dot the name of its weights."""


def describe(name: str) -> Network:
    """timm's network called `name` without "timm:". Raises UsageError if there is no such network,
    MissingExtraError if timm is needed and not installed."""
    if not NAME.fullmatch(name.removeprefix(TIMM_PREFIX)):
        raise _unknown(name)
    return _from_store(name) or _from_timm(name)


def _from_store(name: str) -> Network | None:
    path = store_file(name)
    if not path.is_file():
        return None
    try:
        metadata = read_metadata(path)
        blocks = tuple(str(block) for block in json.loads(metadata["blocks"]))
        preprocessing = Preprocessing.from_dict(json.loads(metadata["preprocessing"]))
    except (LookupError, TypeError, ValueError):  # timm's own file, copied there
        return None
    return _network(name, preprocessing, blocks)


@cache
def _from_timm(name: str) -> Network:
    from eyespot.models.timm_net import build, import_timm

    timm = import_timm()
    if not timm.is_model(name.removeprefix(TIMM_PREFIX)):
        raise _unknown(name)
    import torch

    with torch.device("meta"):  # without memory: an untrusted file may name the largest
        model = build(name)
    config = model.model.pretrained_cfg
    mean, std = ([255.0 * value for value in config[name]] for name in ("mean", "std"))
    crop = {"size": config["input_size"][-1], "fit": "crop", "crop_fraction": config["crop_pct"]}
    preprocessing = Preprocessing.from_dict({**crop, "mean": mean, "std": std})
    # The mean of the last maps is the input of most heads.
    blocks = [f"{stage}.{pooling}" for stage in model.stage_names for pooling in ("mean", "std")]
    blocks = blocks[:-2] + blocks[-1:]
    return _network(name, preprocessing, (*blocks, "head.mean"), config["num_classes"])


def _network(
    name: str, preprocessing: Preprocessing, blocks: tuple[str, ...], num_classes: int = 1000
) -> Network:
    module = "eyespot.models.timm_net"
    return Network(name, module, TIMM, preprocessing, blocks, depth=0, num_classes=num_classes)


def fetch(network: Network) -> Path:
    """Download weights with timm into the store; the store's file.

    Raises WeightsError if that fails.
    """
    from eyespot.models.timm_net import from_published, import_timm
    from eyespot.weights.write import state_digest, write_weights

    bare = network.name.removeprefix(TIMM_PREFIX)
    timm = import_timm()
    try:
        model = timm.create_model(bare, pretrained=True)
    except Exception as error:  # its libraries raise anything
        first = str(error).partition("\n")[0][:200]
        raise WeightsError(
            f"timm cannot download the weights of {bare} ({type(error).__name__}: {first}). Check "
            f"the connection, or import a file with: eyespot weights {network.name} FILE"
        ) from error
    state = from_published(model, model.state_dict())
    classes = None if model.num_classes == 1000 else ()
    path = store_file(network.name)
    known = Pretrained(path, "store", network.preprocessing, classes, state_digest(state))
    return write_weights(path, network, state, known, source=f"timm {timm.__version__}")


def _unknown(name: str) -> UsageError:
    from eyespot.models.timm_net import import_timm

    bare = name.removeprefix(TIMM_PREFIX)
    near = nearest_name(bare, import_timm().list_models())
    hint = f"did you mean '{TIMM_PREFIX}{near}'?" if near else "timm.list_models() has the names."
    return UsageError(f"timm has no network called '{bare}'; {hint}")
