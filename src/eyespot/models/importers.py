"""Bring weights of others into the store, under our names, with what must be known of them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from eyespot.atomic import write_atomically
from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError, WeightsError
from eyespot.models import registry
from eyespot.models.catalogue import NETWORKS, Network
from eyespot.models.checkpoints import Checkpoint, read_checkpoint
from eyespot.models.foreign import forms
from eyespot.models.weights import Pretrained, read_description, sha256_of, store_file


@dataclass(frozen=True, slots=True)
class Imported:
    """Weights under our names. `form`: whose names and layout they had."""

    state: dict[str, Tensor]
    form: str
    preprocessing: Preprocessing
    checkpoint: Checkpoint


def read_weights(model: nn.Module, network: Network, path: Path) -> Imported:
    """Read weights of `network` in any form that is known for it; `model` is one such network.

    Raises WeightsError if the file is damaged, or has none of these forms. Whether all tensors are
    there, and of the right shape, is for `fitting.fit` to see.
    """
    checkpoint = read_checkpoint(path)
    own = model.state_dict()
    for form in forms(network, model):
        try:
            state = form.to_ours(checkpoint.tensors)
        except (LookupError, ValueError):
            continue
        if state and state.keys() <= own.keys():
            preprocessing = replace(
                network.preprocessing,
                mean=form.mean or network.preprocessing.mean,
                std=form.std or network.preprocessing.std,
            )
            flat = {  # some have fully connected layers as convolutions
                key: tensor.flatten(1) if (tensor.ndim, own[key].ndim) == (4, 2) else tensor
                for key, tensor in state.items()
            }
            return Imported(flat, form.name, preprocessing, checkpoint)
    theirs = ", ".join(list(checkpoint.tensors)[:3]) or "nothing"
    known = ", ".join(form.name for form in forms(network, model))
    raise WeightsError(
        f"{path} has no weights of {network.name} in a form that is known (that of {known}): it "
        f"begins with {theirs}. Check that it is a file of this very network."
    )


def import_weights(
    name: str,
    path: str | Path,
    *,
    preprocessing: Preprocessing | None = None,
    classes: Sequence[str] | None = None,
) -> Path:
    """Put the weights in `path` into the store as those of the network called `name`.

    `preprocessing`, `classes`: what the weights expect, and what their outputs mean; None for what
    the file says, else what is usual for the network. Returns the store's file, which is replaced
    only once all is known to fit. Raises UsageError for an unknown name, WeightsError if the file
    is damaged, foreign, or does not fit.
    """
    from eyespot.models.fitting import fit, head_names

    network, path = registry.find(name), Path(path)
    model = registry.create(name)
    found = read_weights(model, network, path)
    fit(model, network, found.state, path, fresh_head=False)
    state = model.state_dict()
    *_, outputs = (len(state[key]) for key in state if key.startswith(head_names(model)))
    if found.checkpoint.metadata.get("eyespot"):
        known = read_description(network, path)
    else:
        own_classes = network.dataset == "ImageNet" and outputs == network.num_classes
        known = Pretrained(
            path,
            "store",
            found.preprocessing,
            None if own_classes else (),
            _digest(found.checkpoint.files),
        )
    if classes is not None:
        known = replace(known, classes=tuple(classes))
    if known.classes and len(known.classes) != outputs:
        raise UsageError(
            f"{path} has {outputs} outputs, and there are {len(known.classes)} names of classes. "
            "Give one for each, in the order of the outputs."
        )
    known = replace(known, preprocessing=preprocessing or known.preprocessing)
    return keep(network, state, known, source=f"{path.name} ({found.form})")


def keep(network: Network, state: dict[str, Tensor], known: Pretrained, source: str) -> Path:
    """Write weights under our names into the store. Raises WeightsError if that is not possible."""
    return write_weights(store_file(network.name), network, state, known, source)


def write_weights(
    path: Path, network: Network, state: dict[str, Tensor], known: Pretrained, source: str
) -> Path:
    """Write `packed` weights, atomically. Raises WeightsError if that is not possible."""
    try:
        write_atomically(path, packed(network, state, known, source))
    except OSError as error:
        raise WeightsError(
            f"The weights cannot be kept in {path.parent} ({error.strerror}). Make room there, or "
            "set EYESPOT_WEIGHTS to another folder."
        ) from error
    return path


def packed(network: Network, state: dict[str, Tensor], known: Pretrained, source: str) -> bytes:
    """Weights under our names with all that must be known of them, as a safetensors file."""
    metadata = {
        "eyespot": network.name,
        "preprocessing": json.dumps(known.preprocessing.to_dict()),
        "classes": "imagenet" if known.classes is None else json.dumps(known.classes),
        "source": source,
        "sha256": known.sha256,
    }
    if network.name not in NETWORKS:  # what the registry says of the others
        metadata["blocks"] = json.dumps(network.feature_blocks)
    return _ordered(save({key: tensor.contiguous() for key, tensor in state.items()}, metadata))


def _ordered(content: bytes) -> bytes:
    """A safetensors file (8 bytes for the length of a header of JSON, the header, the tensors) with
    its header in order, so that the same weights are the same file. safetensors shuffles it."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def state_digest(state: Mapping[str, Tensor]) -> str:
    """sha256 of weights that come from no file: of their names and bytes, in order."""
    digest = hashlib.sha256()
    for key, tensor in state.items():
        digest.update(key.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _digest(files: Sequence[Path]) -> str:
    """sha256 of a file; of several, that of their digests one after the other."""
    digests = [sha256_of(file) for file in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
