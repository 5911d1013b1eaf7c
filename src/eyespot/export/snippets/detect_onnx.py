import json
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else ONNX Runtime reports its use over the network
import onnxruntime

session = onnxruntime.InferenceSession("cells.onnx")
facts = session.get_modelmeta().custom_metadata_map
labels = json.loads(facts["labels"])
photo = read_photo("photo.jpg")
image = detector_input(photo, facts)
answers = session.run(None, {"image": image[None]})
