"""Convert networks from torch to OpenVINO, once on each machine."""

import contextlib
import functools
import json
import os
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from eyespot.atomic import write_atomically
from eyespot.errors import CacheError, ConversionError, MissingExtraError
from eyespot.features.backbone import Backbone
from eyespot.forking import in_children, leave_behind

if TYPE_CHECKING:
    from torch import Tensor, nn

AGREEMENT = 0.01
"""Tolerance between engines, as a share of each feature and of the largest; rounding is 0.0002."""


def import_openvino() -> Any:
    """The module openvino. Raises MissingExtraError if it is not installed."""
    try:
        openvino = import_module("openvino")
    except ImportError as error:
        raise MissingExtraError("Running networks with OpenVINO", "openvino") from error
    # OpenVINO fills its tables of types on first use. Two threads that do so at once deadlock (one
    # holds the table, the other Python's lock), so one thread does it here.
    for kind in (np.uint8, np.float32):
        _ = openvino.Tensor(np.zeros(1, kind), shared_memory=True).data
        openvino.Type(kind).to_dtype()
    return openvino


@functools.cache
def openvino_core() -> Any:
    """The only openvino.Core of this process, which threads share.

    A Core's CPU plugin gives the thread that loaded it a stack for signal handlers. Of two Cores
    that end in the order they began, the second restores the stack of the first, which is freed by
    then, and Ctrl-C is a segmentation fault. Raises MissingExtraError as `import_openvino` does.
    """
    return import_openvino().Core()


@in_children
def _leave_core() -> None:
    """A forked child makes its own Core: its parent's threads do not exist there."""
    if openvino_core.cache_info().currsize:
        leave_behind(openvino_core())
        openvino_core.cache_clear()


_PROCESS = os.getpid()


def streams(count: int) -> int:
    """The number of streams to compile for: `count`, but 0 in a forked child.

    The child would get idle streams of its parent and wait for their threads, which do not exist
    there. Without streams the calling thread computes.
    """
    return count if os.getpid() == _PROCESS else 0


def exact_options() -> dict[str, Any]:
    """Options of a network that is compared with torch: float32, one stream."""
    return {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": streams(1)}


def computes_bf16() -> bool:
    """Whether the processor has instructions for bfloat16, which is then faster than float32."""
    try:
        core = openvino_core()
    except MissingExtraError:
        import torch

        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def to_openvino(module: "nn.Module", example: "Tensor | tuple[Tensor, ...]") -> Any:
    """Convert a torch module to an openvino.Model for an input, or inputs, like `example`."""
    import_openvino()
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        # Tracing warns that sizes become constants, as they should here.
        warnings.simplefilter("ignore")
        # Checking would trace twice more, a second; `_agrees` compares the engines below.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(traced)  # must live until the network is converted
        frontend = FrontEndManager().load_by_framework("pytorch")
        return frontend.convert(frontend.load(decoder))


def converted(graph: Path, facts: Path) -> dict[str, int] | None:
    """The width of each block; None if the network is not converted or its files are damaged."""
    try:
        known = json.loads(facts.read_text("utf-8"))
        widths: dict[str, int] = known["widths"]
        return widths if known["checksums"] == _checksums(graph, widths) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checksums(graph: Path, widths: dict[str, int]) -> dict[str, int]:
    """CRC-32 of all files of a network; 25 MB take 25 ms."""
    suffixes = (".xml", ".bin")
    found = {suffix: zlib.crc32(graph.with_suffix(suffix).read_bytes()) for suffix in suffixes}
    return found | {"widths": zlib.crc32(json.dumps(widths).encode())}


def convert(backbone: Backbone, graph: Path, facts: Path) -> dict[str, int]:
    """Write the network as OpenVINO's `.xml` and `.bin`, and facts about it as `.json`.

    Returns the width of each block. Raises ConversionError, and writes nothing, if OpenVINO cannot
    run the network or its features differ from torch's; OSError or RuntimeError if files cannot be
    written.
    """
    openvino = import_openvino()
    import torch

    from eyespot.features.extractor import build_extractor

    module, widths = build_extractor(backbone)
    size = backbone.preprocessing.size
    try:
        model = to_openvino(module, torch.zeros(1, size, size, 3, dtype=torch.uint8))
        model.inputs[0].get_node().set_element_type(openvino.Type.u8)
        model.inputs[0].get_node().set_partial_shape(openvino.PartialShape([-1, size, size, 3]))
        model.validate_nodes_and_infer_types()
        agrees = _agrees(model, module, size)
    except Exception as error:  # tracing and converting raise errors of many types
        reason = " ".join(str(error).split())[:200]
        raise ConversionError(
            f"OpenVINO cannot run {backbone.name} ({type(error).__name__}: {reason})."
        ) from error
    if not agrees:
        raise ConversionError(f"OpenVINO computes other features of {backbone.name} than torch.")
    write_network(model, graph, depthwise_exact=backbone.reads_logits)
    write_facts(graph, facts, widths)
    return widths


@contextlib.contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Raises CacheError if a network cannot be written to the folder."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise CacheError(
            f"The converted network cannot be written to {folder} ({error}). "
            "Make room there, or set EYESPOT_CACHE to another folder."
        ) from error


def write_network(model: Any, graph: Path, *, depthwise_exact: bool = False) -> None:
    """Write an openvino.Model as `.xml` and `.bin`. Raises OSError or RuntimeError."""
    openvino = import_openvino()
    graph.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=graph.parent) as folder:
        draft = Path(folder) / graph.name
        openvino.save_model(model, draft, compress_to_fp16=False)
        if depthwise_exact:
            _keep_depthwise_exact(draft)
        for suffix in (".bin", ".xml"):
            draft.with_suffix(suffix).replace(graph.with_suffix(suffix))


def write_facts(graph: Path, facts: Path, widths: dict[str, int]) -> None:
    """Write what `converted` reads, after the network itself."""
    known = {"widths": widths, "checksums": _checksums(graph, widths)}
    write_atomically(facts, json.dumps(known).encode())


def _agrees(model: Any, module: "nn.Module", size: int) -> bool:
    """Whether both compute the same features of two images of noise, up to rounding."""
    import torch

    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    fixed = model.clone()
    fixed.reshape([*images.shape])
    found = openvino_core().compile_model(fixed, "CPU", exact_options())([images])[0]
    with torch.inference_mode():
        expected = module(torch.from_numpy(images)).numpy()
    tolerance = AGREEMENT * np.abs(expected).max()
    return found.shape == expected.shape and np.allclose(
        found, expected, AGREEMENT, tolerance, equal_nan=True
    )


def _keep_depthwise_exact(graph: Path) -> None:
    """Compute depthwise filters in float32 even where the rest is in bfloat16.

    They add up few products, so rounding affects them most: on 200 photos of ImageNet, the worst
    cosine between rounded and exact features rises from 0.990 to 0.999, for 7% of the speed. That
    pays for the network's own classifier; other heads are trained on rounded features.
    """
    tree = ElementTree.parse(graph)  # noqa: S314 - OpenVINO has just written it
    for layer in tree.iter("layer"):
        if layer.get("type") == "GroupConvolution":
            facts = layer.find("rt_info")
            if facts is None:
                facts = ElementTree.SubElement(layer, "rt_info")
            ElementTree.SubElement(facts, "attribute", {"name": "precise", "version": "0"})
    tree.write(graph)
