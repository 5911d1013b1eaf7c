"""Read tensors from untrusted files, without running code and with limited memory.

The format is recognised by content: safetensors, files of `torch.save`, and TensorFlow.js's
manifest of weights, which names files of bytes beside it.
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
"""Bytes; the largest network of the zoo has half as many."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`tensors`: by their names, floating ones in float32. `files`: all that were read."""

    tensors: dict[str, Tensor]
    files: tuple[Path, ...]
    metadata: dict[str, str] = field(default_factory=dict)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file of tensors. Raises WeightsError if it is another file, damaged, or too large."""
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
    except Exception as error:  # libraries raise anything for unexpected files
        first = str(error).partition("\n")[0][:200]
        raise WeightsError(
            f"{path} cannot be read as weights ({type(error).__name__}: {first}). Expected "
            "safetensors, a state dict saved by torch, or a manifest of TensorFlow.js. Other "
            "objects saved by torch are not loaded, because that can run code."
        ) from error
    tensors = {
        key: tensor.detach().float() if tensor.is_floating_point() else tensor.detach()
        for key, tensor in checkpoint.tensors.items()
    }
    return Checkpoint(tensors, checkpoint.files, checkpoint.metadata)


def _check(path: Path, tensors: Mapping[Any, Any]) -> None:
    for key, tensor in tensors.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise ValueError(f"{key!r} is not a tensor")
        plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.is_quantized or tensor.is_complex():
            raise ValueError(f"{key} is not a plain tensor")
    # Counted by shape: a tensor that repeats one number needs memory only once it is copied.
    if sum(tensor.numel() * 4 for tensor in tensors.values()) > LIMIT:
        raise WeightsError(_too_large(path))
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{key} has NaN or Inf")


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
    if zipfile.is_zipfile(path):  # its entries may unpack to any size
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LIMIT:
                raise WeightsError(_too_large(path))
    try:
        with warnings.catch_warnings(action="ignore"):  # about other protocols
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:  # whose message recommends to run the file's code
        raise ValueError("it is damaged, or holds other objects than tensors") from None
    for key in ("state_dict", "model"):  # training scripts also save other values
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise TypeError(f"{type(state).__name__} where a state dict is expected")
    return dict(state)


def _manifest(path: Path) -> Checkpoint:
    """Read TensorFlow.js's groups of tensors, whose bytes follow each other in a group's files;
    numbers are float32, or uint8 with a scale and a minimum."""
    tensors: dict[str, Tensor] = {}
    files = [path]
    for group in json.loads(read_file(path, LIMIT)):
        parts = [_beside(path, name) for name in group["paths"]]
        shapes = [_shape(entry["shape"]) for entry in group["weights"]]
        widths = [1 if "quantization" in entry else 4 for entry in group["weights"]]
        needed = sum(math.prod(s) * w for s, w in zip(shapes, widths, strict=True))
        there = sum(part.stat().st_size for part in parts)
        if needed != there or there > LIMIT:
            raise ValueError(f"expected {needed} bytes of weights, found {there}")
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
            f"{manifest} names {path.name}, which is not beside it. Put both files into one folder."
        )
    return path


def _shape(sizes: list[int]) -> tuple[int, ...]:
    if not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"{sizes} is not a shape")
    return tuple(sizes)


def _numbers(entry: dict[str, Any], content: bytes) -> "np.ndarray[Any, np.dtype[np.float32]]":
    if entry["dtype"] != "float32":
        raise ValueError(f"{entry['name']} is {entry['dtype']}, not float32")
    if "quantization" not in entry:
        return np.frombuffer(content, "<f4").astype(np.float32)
    how = entry["quantization"]
    if how["dtype"] != "uint8":
        raise ValueError(f"{entry['name']} is stored as {how['dtype']}, not uint8")
    steps = np.frombuffer(content, np.uint8)
    with np.errstate(all="ignore"):  # `_check` finds NaN and Inf
        return (steps * np.float64(how["scale"]) + np.float64(how["min"])).astype(np.float32)
