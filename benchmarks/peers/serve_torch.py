"""The obvious server of a classifier: FastAPI, Pillow and torch, a picture a request.

serve_torch.py CLASSIFIER PORT. The same weights and the same head as eyespot's, so that it gives
the same answers; the network is run by torch as it is.
"""

import io
import sys

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image

import eyespot
from eyespot.features.backbone import build_extractor

classifier = eyespot.load(sys.argv[1])
network, _ = build_extractor(classifier.backbone)
app = FastAPI()


@app.post("/predict")
def predict(file: UploadFile) -> dict[str, float]:
    size = classifier.backbone.preprocessing.size
    image = Image.open(io.BytesIO(file.file.read())).convert("RGB")
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    with torch.inference_mode():
        features = network(torch.from_numpy(pixels[None].copy())).numpy()
    probabilities, _ = classifier.score_features(features)
    return dict(zip(classifier.classes, probabilities[0].tolist(), strict=True))


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
