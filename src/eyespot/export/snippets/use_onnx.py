import json
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else ONNX Runtime reports its use over the network
import onnxruntime

session = onnxruntime.InferenceSession("pets.onnx")
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
photos = read_photo("photo.jpg")[None]  # or several of one size
answers = session.run(None, {"image": photos})
for probabilities, ood_score, unknown in zip(*answers):
    best = probabilities.argmax()
    print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
