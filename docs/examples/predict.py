"""Ask about pictures in all the forms that are taken.

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
    for picture in (path, path.read_bytes(), image, np.asarray(image.convert("RGB"))):
        answer = classifier.predict(picture, top=2)  # an eyespot.Prediction
        print("none of these" if answer.unknown else answer.label, answer.top, answer.ood_score)
