import json
import sys

sys.modules["openvino_telemetry"] = None  # else OpenVINO reports its use over the network
import openvino

core = openvino.Core()
graph = core.read_model("pets.xml")
labels = json.loads(graph.get_rt_info("labels").astype(str))
model = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
photos = read_photo("photo.jpg")[None]  # or several of one size
answers = model(photos).values()
for probabilities, ood_score, unknown in zip(*answers):
    best = probabilities.argmax()
    print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
