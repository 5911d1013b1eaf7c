import json

import numpy as np
import torch
from PIL import Image, ImageOps

files = {"labels.json": ""}
model = torch.export.load("pets.pt2", extra_files=files).module()
labels = json.loads(files["labels.json"])
photo = Image.open("photo.jpg")
photo.draft("RGB", (224, 224))  # decodes a large JPEG at a fraction of its size, as eyespot does
pixels = np.array(ImageOps.exif_transpose(photo).convert("RGB"))
probabilities, familiarity, unknown = model(torch.from_numpy(pixels))
best = probabilities.argmax()
print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
