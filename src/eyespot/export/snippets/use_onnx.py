import json

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("pets.onnx")
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
photo = Image.open("photo.jpg")
photo.draft("RGB", (224, 224))  # decodes a large JPEG at a fraction of its size, as eyespot does
pixels = np.array(ImageOps.exif_transpose(photo).convert("RGB"))
probabilities, familiarity, unknown = session.run(None, {"image": pixels})
best = probabilities.argmax()
print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
