"""ONNX: one file from the pixels to the probabilities."""

import importlib
import warnings
from typing import Any

from eyespot.arrays import U8
from eyespot.errors import ExportError, MissingExtraError
from eyespot.export.check import Run
from eyespot.export.facts import facts
from eyespot.tasks.classification.classifier import Classifier

OPSET = 18
MOST_BYTES = 2_000_000_000
"""Of weights in one file: a protobuf message holds at most 2 GiB."""


def require_onnx() -> None:
    """Raises MissingExtraError if a package is not installed."""
    try:
        for name in ("onnx", "onnxscript", "onnxruntime"):
            importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError("Exporting to ONNX", "export") from error


def onnx_file(classifier: Classifier) -> bytes:
    """The content of the file. Raises ExportError if it would be too large."""
    require_onnx()
    import torch
    from onnx.helper import set_model_props

    from eyespot.export.graph import AXES, OUTPUTS, ClassifierModule, program_of

    module = ClassifierModule(classifier)
    size = sum(t.nbytes for t in (*module.parameters(), *module.buffers()))
    if size > MOST_BYTES:
        raise ExportError(
            f"The classifier has {size:,} bytes of weights; an ONNX file holds at most "
            f"{MOST_BYTES:,}. Export it to OpenVINO or torch, or teach a classifier with a smaller "
            "backbone or fewer photos."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about future changes in torch
        exported = torch.onnx.export(
            program_of(module),
            input_names=["image"],
            output_names=OUTPUTS,
            opset_version=OPSET,
            verbose=False,
        )
    assert exported is not None
    model = exported.model_proto
    for node in model.graph.node:  # paths of source files on this machine
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (model, model.graph):
        value.ClearField("metadata_props")
    for name, axis in zip(AXES, model.graph.input[0].type.tensor_type.shape.dim, strict=False):
        axis.dim_param = name
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[0].dim_param = AXES[0]
    set_model_props(model, facts(classifier) | {"opset": str(OPSET)})
    return bytes(model.SerializeToString())


def run_onnx(content: bytes) -> Run:
    """A function that runs the file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(pixels: U8) -> Any:
        return [found[0] for found in session.run(None, {"image": pixels[None]})]

    return run
