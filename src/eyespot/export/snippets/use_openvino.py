import json
import sys

sys.modules["openvino_telemetry"] = None  # else OpenVINO reports its use over the network
import numpy as np
import openvino
from PIL import Image, ImageOps

core = openvino.Core()
graph = core.read_model("pets.xml")
labels = json.loads(graph.get_rt_info("labels").astype(str))
model = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
photo = Image.open("photo.jpg")
photo.draft("RGB", (224, 224))  # decodes a large JPEG at a fraction of its size, as eyespot does
pixels = np.array(ImageOps.exif_transpose(photo).convert("RGB"))
probabilities, familiarity, unknown = model(pixels).values()
best = probabilities.argmax()
print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
