"""Read tensors from files of strangers: nothing in them is run, and nothing absurd is allocated.

The format is recognised by content: safetensors, what `torch.save` writes, and TensorFlow.js's
manifest of weights, which names the files beside it that hold them, as bytes.
"""

import json
import math
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from eyespot.errors import WeightsError
from eyespot.files import expect_file, open_file, read_file

LIMIT = 2**30
"""Bytes; the greatest network of the zoo has half as many."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`tensors`: by their names, floating ones in float32. `files`: all that were read."""

    tensors: dict[str, Tensor]
    files: tuple[Path, ...]
    metadata: dict[str, str] = field(default_factory=dict)


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises WeightsError if `path` is no file of tensors, or damaged, or too large."""
    try:
        size = expect_file(path).st_size
        if size > LIMIT:
            raise WeightsError(_too_large(path))
        with open_file(path) as file:
            start = file.read(9)
        if start[4:] == b"\0\0\0\0{":  # the length of the header, and the header
            checkpoint = _safetensors(path)
        elif start.startswith((b"PK\3\4", b"\x80")):
            checkpoint = Checkpoint(_saved_by_torch(path), (path,))
        elif start.lstrip().startswith(b"["):
            checkpoint = _manifest(path)
        else:
            raise ValueError("neither safetensors nor saved by torch nor a manifest")
        _check(path, checkpoint.tensors)
    except WeightsError:
        raise
    except Exception as error:  # whatever a library makes of a file that it did not expect
        first = str(error).partition("\n")[0][:200]
        raise WeightsError(
            f"{path} cannot be read as weights ({type(error).__name__}: {first}). Expected are "
            "safetensors, a state dict saved by torch, or a manifest of TensorFlow.js; other "
            "objects that were saved by torch are refused, because loading them can run code."
        ) from error
    tensors = {
        key: tensor.detach().float() if tensor.is_floating_point() else tensor.detach()
        for key, tensor in checkpoint.tensors.items()
    }
    return Checkpoint(tensors, checkpoint.files, checkpoint.metadata)


def _check(path: Path, tensors: Mapping[Any, Any]) -> None:
    for key, tensor in tensors.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise ValueError(f"{key!r} is no tensor")
        plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.is_quantized or tensor.is_complex():
            raise ValueError(f"{key} is no plain tensor")
    # Counted by shape: a tensor that repeats one number takes room only once it is copied.
    if sum(tensor.numel() * 4 for tensor in tensors.values()) > LIMIT:
        raise WeightsError(_too_large(path))
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{key} has numbers that are not finite")


def _too_large(path: Path) -> str:
    return (
        f"{path} holds more than {LIMIT // 2**20} MB of weights, more than any network of the zoo. "
        "Check that it is the right file."
    )


def _safetensors(path: Path) -> Checkpoint:
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        return Checkpoint(tensors, (path,), file.metadata() or {})


def _saved_by_torch(path: Path) -> dict[str, Tensor]:
    if zipfile.is_zipfile(path):  # its entries may be packed, and unpack to anything
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LIMIT:
                raise WeightsError(_too_large(path))
    try:
        with warnings.catch_warnings(action="ignore"):  # of foreign protocols, which are refused
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:  # whose message recommends to run what is in the file
        raise ValueError("it is damaged, or holds other objects than tensors") from None
    for key in ("state_dict", "model"):  # training scripts save more than the weights
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise TypeError(f"{type(state).__name__} where a state dict is expected")
    return dict(state)


def _manifest(path: Path) -> Checkpoint:
    """Groups of tensors, each one after the other in the bytes of its files; numbers as float32,
    or as uint8 with a scale and the least value."""
    tensors: dict[str, Tensor] = {}
    files = [path]
    for group in json.loads(read_file(path, LIMIT)):
        parts = [_beside(path, name) for name in group["paths"]]
        shapes = [_shape(entry["shape"]) for entry in group["weights"]]
        widths = [1 if "quantization" in entry else 4 for entry in group["weights"]]
        needed = sum(math.prod(s) * w for s, w in zip(shapes, widths, strict=True))
        there = sum(part.stat().st_size for part in parts)
        if needed != there or there > LIMIT:
            raise ValueError(f"{needed} bytes of weights are announced, and {there} are there")
        content = b"".join(read_file(part, LIMIT) for part in parts)
        offset = 0
        for entry, shape, width in zip(group["weights"], shapes, widths, strict=True):
            values = _numbers(entry, content[offset : offset + math.prod(shape) * width])
            tensors[str(entry["name"])] = torch.from_numpy(values.reshape(shape))
            offset += math.prod(shape) * width
        files += parts
    return Checkpoint(tensors, tuple(files))


def _beside(manifest: Path, name: str) -> Path:
    path = manifest.with_name(name)  # ValueError if the name leads into another folder
    if not path.is_file():
        raise WeightsError(
            f"{manifest} names {path.name}, which is not beside it. Put both into one folder."
        )
    return path


def _shape(sizes: list[int]) -> tuple[int, ...]:
    if not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"{sizes} is no shape")
    return tuple(sizes)


def _numbers(entry: dict[str, Any], content: bytes) -> "np.ndarray[Any, np.dtype[np.float32]]":
    if entry["dtype"] != "float32":
        raise ValueError(f"{entry['name']} is {entry['dtype']}, not float32")
    if "quantization" not in entry:
        return np.frombuffer(content, "<f4").astype(np.float32)
    how = entry["quantization"]
    if how["dtype"] != "uint8":
        raise ValueError(f"{entry['name']} is kept as {how['dtype']}, not uint8")
    steps = np.frombuffer(content, np.uint8)
    with np.errstate(all="ignore"):  # what is not finite is refused later
        return (steps * np.float64(how["scale"]) + np.float64(how["min"])).astype(np.float32)
