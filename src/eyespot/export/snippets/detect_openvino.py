import json
import sys

sys.modules["openvino_telemetry"] = None  # else OpenVINO reports its use over the network
import openvino

core = openvino.Core()
graph = core.read_model("cells.xml")
keys = ("labels", "area", "multiple", "longest")
facts = {key: graph.get_rt_info(key).astype(str) for key in keys}
labels = json.loads(facts["labels"])
model = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
photo = read_photo("photo.jpg")
image = detector_input(photo, facts)
answers = model(image[None]).values()
