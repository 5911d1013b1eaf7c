"""Classify a photo in all accepted forms.

Run: python docs/examples/predict.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

import eyespot

photos = Path(sys.argv[1])
path = next(p for p in sorted(photos.rglob("*")) if p.is_file())
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
import numpy as np
from PIL import Image

with Image.open(path) as image:
    for photo in (path, path.read_bytes(), image, np.asarray(image.convert("RGB"))):
        prediction = classifier.predict(photo, top=2)  # an eyespot.Prediction
        label = "none of these" if prediction.unknown else prediction.label
        print(label, prediction.top, prediction.ood_score)
