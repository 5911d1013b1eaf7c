import json

import numpy as np
import torch
from PIL import Image, ImageOps

files = {"labels.json": ""}
model = torch.export.load("pets.pt2", extra_files=files).module()
labels = json.loads(files["labels.json"])
photo = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
probabilities, familiarity, unknown = model(torch.from_numpy(np.array(photo)))
best = probabilities.argmax()
print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
