"""OpenVINO: an .xml file of the graph and a .bin file of the weights."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.arrays import U8
from eyespot.export.check import Run
from eyespot.export.facts import facts
from eyespot.features.conversion import import_openvino, openvino_core, to_openvino
from eyespot.tasks.classification.classifier import Classifier


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
    for key, value in facts(classifier).items():
        model.set_rt_info(value, key)
    with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
        graph = Path(folder) / "classifier.xml"
        openvino.save_model(model, graph, compress_to_fp16=False)
        return {ending: graph.with_suffix(ending).read_bytes() for ending in (".bin", ".xml")}


def run_openvino(files: dict[str, bytes]) -> Run:
    """A function that runs the files, in float32."""
    openvino, core = import_openvino(), openvino_core()
    weights = np.frombuffer(files[".bin"], np.uint8)
    model = core.read_model(files[".xml"], openvino.Tensor(weights))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(pixels: U8) -> Any:
        return tuple(found[0] for found in compiled([pixels[None]]).values())

    return run
