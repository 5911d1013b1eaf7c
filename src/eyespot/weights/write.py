"""Write weights under eyespot's names as a safetensors file with a description."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from eyespot.atomic import write_atomically
from eyespot.errors import WeightsError
from eyespot.models.catalogue import NETWORKS, Network
from eyespot.weights.store import Pretrained


def write_weights(
    path: Path, network: Network, state: dict[str, Tensor], known: Pretrained, source: str
) -> Path:
    """Write `packed` weights, atomically. Raises WeightsError if that is not possible."""
    try:
        write_atomically(path, packed(network, state, known, source))
    except OSError as error:
        raise WeightsError(
            f"The weights cannot be written to {path.parent} ({error.strerror}). Make room there, "
            "or set EYESPOT_WEIGHTS to another folder."
        ) from error
    return path


def packed(network: Network, state: dict[str, Tensor], known: Pretrained, source: str) -> bytes:
    """Weights with their description, as a safetensors file."""
    metadata = {
        "eyespot": network.name,
        "preprocessing": json.dumps(known.preprocessing.to_dict()),
        "classes": "imagenet" if known.classes is None else json.dumps(known.classes),
        "source": source,
        "sha256": known.sha256,
    }
    if network.name not in NETWORKS:  # the catalogue has those of the others
        metadata["blocks"] = json.dumps(network.feature_blocks)
    return _ordered(save({key: tensor.contiguous() for key, tensor in state.items()}, metadata))


def _ordered(content: bytes) -> bytes:
    """A safetensors file (8 bytes for the length of a JSON header, the header, the tensors) with a
    sorted header, so that the same weights give the same file. safetensors shuffles it."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def state_digest(state: Mapping[str, Tensor]) -> str:
    """sha256 of weights without a file: of their names and bytes, in order."""
    digest = hashlib.sha256()
    for key, tensor in state.items():
        digest.update(key.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
