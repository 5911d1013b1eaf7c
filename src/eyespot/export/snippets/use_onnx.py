import json

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("pets.onnx")
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
photo = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
probabilities, familiarity, unknown = session.run(None, {"image": np.asarray(photo)})
best = probabilities.argmax()
print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
