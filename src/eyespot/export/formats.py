"""The formats of an export: files from a classifier, and a function that runs them.

ONNX is one file from the pixels to the probabilities. OpenVINO is an .xml file of the graph and a
.bin file of the weights. torch is a torch.export program, which loads without eyespot.
"""

import importlib
import io
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eyespot import __version__
from eyespot.arrays import U8
from eyespot.data.transforms import needed_short_side
from eyespot.errors import ExportError, MissingExtraError
from eyespot.export.check import Run
from eyespot.features.conversion import (
    exact_options,
    import_openvino,
    openvino_core,
    to_openvino,
)
from eyespot.tasks.classification.classifier import Classifier

OPSET = 18
MOST_BYTES = 2_000_000_000
"""Of weights in one ONNX file: a protobuf message holds at most 2 GiB."""


def facts(classifier: Classifier) -> dict[str, str]:
    """The metadata of a file, texts by key.

    `labels`: a JSON list. `temperature`, `ood_threshold`: the graph applies both. `short_side`:
    least short side, in pixels, at which to decode a photo.
    """
    return {
        "labels": json.dumps(classifier.classes),
        "temperature": repr(float(classifier.temperature)),
        "ood_threshold": repr(float(classifier.ood_threshold)),
        "short_side": str(needed_short_side(classifier.backbone.preprocessing)),
        "backbone": classifier.backbone.name,
        "eyespot": __version__,
    }


def require_onnx() -> None:
    """Raises MissingExtraError if a package is not installed."""
    try:
        for name in ("onnx", "onnxscript", "onnxruntime"):
            importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError("Exporting to ONNX", "export") from error


def onnx_file(classifier: Classifier) -> bytes:
    """The content of the file. Raises ExportError if it would be too large, MissingExtraError if a
    package is not installed."""
    require_onnx()
    import torch
    from onnx.helper import set_model_props

    from eyespot.export.graph import AXES, OUTPUTS, ClassifierModule, program_of

    module = ClassifierModule(classifier)
    size = sum(t.nbytes for t in (*module.parameters(), *module.buffers()))
    if size > MOST_BYTES:
        raise ExportError(
            f"The classifier has {size:,} bytes of weights; an ONNX file holds at most "
            f"{MOST_BYTES:,}. Export it to OpenVINO or torch, or train a classifier with a smaller "
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
    without_paths(model)
    for name, axis in zip(AXES, model.graph.input[0].type.tensor_type.shape.dim, strict=False):
        axis.dim_param = name
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[0].dim_param = AXES[0]
    set_model_props(model, facts(classifier) | {"opset": str(OPSET)})
    return bytes(model.SerializeToString())


def without_paths(model: Any) -> None:
    """Remove the paths of source files on this machine from an onnx.ModelProto."""
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (model, model.graph):
        value.ClearField("metadata_props")


def run_onnx(content: bytes) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(pixels: U8) -> Any:
        return [found[0] for found in session.run(None, {"image": pixels[None]})]

    return run


def openvino_files(classifier: Classifier) -> dict[str, bytes]:
    """The content of the files, by suffix; the graph's rt_info has the metadata."""
    openvino = import_openvino()
    import torch

    from eyespot.export.graph import OUTPUTS, ClassifierModule

    model = to_openvino(
        ClassifierModule(classifier), torch.zeros(2, 300, 400, 3, dtype=torch.uint8)
    )
    image = model.inputs[0]
    image.get_tensor().set_names({"image"})
    image.get_node().set_element_type(openvino.Type.u8)
    image.get_node().set_partial_shape(openvino.PartialShape([-1, -1, -1, 3]))
    for output, name in zip(model.outputs, OUTPUTS, strict=True):
        output.get_tensor().set_names({name})
    model.validate_nodes_and_infer_types()
    return openvino_content(model, facts(classifier), "classifier")


def openvino_content(model: Any, about: Mapping[str, str], name: str) -> dict[str, bytes]:
    """The content of the files of an openvino.Model, by suffix, with `about` as its rt_info."""
    openvino = import_openvino()
    for key, value in about.items():
        model.set_rt_info(value, key)
    with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
        graph = Path(folder) / f"{name}.xml"
        openvino.save_model(model, graph, compress_to_fp16=False)
        return {ending: graph.with_suffix(ending).read_bytes() for ending in (".bin", ".xml")}


def run_openvino(files: dict[str, bytes]) -> Run:
    """In float32."""
    compiled = compiled_openvino(files)

    def run(pixels: U8) -> Any:
        return tuple(found[0] for found in compiled([pixels[None]]).values())

    return run


def compiled_openvino(files: dict[str, bytes]) -> Any:
    """The model in `files`, which computes in float32."""
    openvino, core = import_openvino(), openvino_core()
    weights = np.frombuffer(files[".bin"], np.uint8)
    model = core.read_model(files[".xml"], openvino.Tensor(weights))
    return core.compile_model(model, "CPU", exact_options())


def torch_program(classifier: Classifier) -> bytes:
    """The content of the .pt2 file, with the extra files `labels.json` and `facts.json`."""
    import torch

    from eyespot.export.graph import ClassifierModule, program_of

    known, content = facts(classifier), io.BytesIO()
    extra = {"labels.json": known["labels"], "facts.json": json.dumps(known)}
    torch.export.save(program_of(ClassifierModule(classifier)), content, extra_files=extra)
    return content.getvalue()


def run_torch(content: bytes) -> Run:
    import torch

    module = torch.export.load(io.BytesIO(content)).module()

    def run(pixels: U8) -> Any:
        with torch.inference_mode():
            return [found[0].numpy() for found in module(torch.from_numpy(pixels[None].copy()))]

    return run


class Format(NamedTuple):
    """`make`: the files' content by suffix. `run`: a function that runs them."""

    suffix: str
    make: Callable[[Classifier], dict[str, bytes]]
    run: Callable[[dict[str, bytes]], Run]


FORMATS = {
    "onnx": Format(".onnx", lambda c: {".onnx": onnx_file(c)}, lambda f: run_onnx(f[".onnx"])),
    "openvino": Format(".xml", openvino_files, run_openvino),
    "torch": Format(".pt2", lambda c: {".pt2": torch_program(c)}, lambda f: run_torch(f[".pt2"])),
}
