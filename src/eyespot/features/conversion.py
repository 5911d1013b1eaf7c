"""From torch to OpenVINO: a network is converted once on a machine, and its files are kept."""

import functools
import json
import tempfile
import warnings
import zlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from eyespot.atomic import write_atomically
from eyespot.errors import ConversionError, MissingExtraError
from eyespot.features.backbone import Backbone, build_extractor
from eyespot.forking import in_children, leave_behind

if TYPE_CHECKING:
    from torch import Tensor, nn

AGREEMENT = 0.01
"""Share of a feature, and of the largest, by which engines may differ; rounding makes 0.0002."""


def import_openvino() -> Any:
    """The module openvino. Raises MissingExtraError if it is not installed."""
    try:
        openvino = import_module("openvino")
    except ImportError as error:
        raise MissingExtraError("Running networks with OpenVINO", "openvino") from error
    # OpenVINO fills its tables of types on first use. Two threads that do so at once wait for each
    # other for ever (one holds the table, the other Python's lock), so one thread does it here.
    for kind in (np.uint8, np.float32):
        _ = openvino.Tensor(np.zeros(1, kind), shared_memory=True).data
        openvino.Type(kind).to_dtype()
    return openvino


@functools.cache
def openvino_core() -> Any:
    """The one openvino.Core of this process, which threads may share.

    While a Core has its plugin for CPUs, the thread that loaded it runs handlers of signals on a
    stack of the plugin's. Of two that end in the order they began, the second gives the thread the
    stack of the first back, which is freed by then, and Ctrl-C is a segmentation fault.
    Raises MissingExtraError as `import_openvino`.
    """
    return import_openvino().Core()


@in_children
def _leave_core() -> None:
    """A forked child makes one of its own: the threads of its parent's are not there."""
    if openvino_core.cache_info().currsize:
        leave_behind(openvino_core())
        openvino_core.cache_clear()


def to_openvino(module: "nn.Module", example: "Tensor") -> Any:
    """The torch module as an openvino.Model for inputs like `example`."""
    import_openvino()
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        # Tracing warns that sizes become constants, which is what is wanted here.
        warnings.simplefilter("ignore")
        # Checking would trace it twice more, a second; tests hold the engines to the same features.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(traced)  # must live until the network is converted
        frontend = FrontEndManager().load_by_framework("pytorch")
        return frontend.convert(frontend.load(decoder))


def converted(graph: Path, facts: Path) -> dict[str, int] | None:
    """The width of each block; None if the network is not converted, or its files are damaged."""
    try:
        known = json.loads(facts.read_text("utf-8"))
        widths: dict[str, int] = known["widths"]
        return widths if known["checksums"] == _checksums(graph, widths) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checksums(graph: Path, widths: dict[str, int]) -> dict[str, int]:
    """Of all that is written of a network; 25 MB take 25 ms."""
    suffixes = (".xml", ".bin")
    found = {suffix: zlib.crc32(graph.with_suffix(suffix).read_bytes()) for suffix in suffixes}
    return found | {"widths": zlib.crc32(json.dumps(widths).encode())}


def convert(backbone: Backbone, graph: Path, facts: Path) -> dict[str, int]:
    """Write the network as OpenVINO's `.xml` and `.bin`, and facts about it as `.json`.

    Returns the width of each block. Raises ConversionError, and writes nothing, if OpenVINO cannot
    run the network, or computes other features than torch; OSError and RuntimeError as writing.
    """
    openvino = import_openvino()
    import torch

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
        raise ConversionError(
            f"OpenVINO computes other features of {backbone.name} than torch, so they are not used."
        )
    graph.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=graph.parent) as folder:
        draft = Path(folder) / graph.name
        openvino.save_model(model, draft, compress_to_fp16=False)
        if backbone.answers:
            _keep_depthwise_exact(draft)
        for suffix in (".bin", ".xml"):
            draft.with_suffix(suffix).replace(graph.with_suffix(suffix))
    known = {"widths": widths, "checksums": _checksums(graph, widths)}
    write_atomically(facts, json.dumps(known).encode())
    return widths


def _agrees(model: Any, module: "nn.Module", size: int) -> bool:
    """Whether both compute the same features of two pictures of noise, but for rounding."""
    import torch

    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    fixed = model.clone()
    fixed.reshape([*pictures.shape])
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    found = openvino_core().compile_model(fixed, "CPU", exact)([pictures])[0]
    with torch.inference_mode():
        expected = module(torch.from_numpy(pictures)).numpy()
    tolerance = AGREEMENT * np.abs(expected).max()
    return found.shape == expected.shape and np.allclose(
        found, expected, AGREEMENT, tolerance, equal_nan=True
    )


def _keep_depthwise_exact(graph: Path) -> None:
    """Have depthwise filters computed in float32 even where the rest is in bfloat16.

    They add up few products, so rounding hurts them most: on 200 photos of ImageNet, the worst
    cosine between rounded and exact features rises from 0.990 to 0.999, at 7 % of the speed. That
    pays where the network's own classifier answers; taught heads learn from rounded features.
    """
    tree = ElementTree.parse(graph)  # noqa: S314 - OpenVINO has just written it
    for layer in tree.iter("layer"):
        if layer.get("type") == "GroupConvolution":
            facts = layer.find("rt_info")
            if facts is None:
                facts = ElementTree.SubElement(layer, "rt_info")
            ElementTree.SubElement(facts, "attribute", {"name": "precise", "version": "0"})
    tree.write(graph)
