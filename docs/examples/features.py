"""Features and heads by themselves, as scikit-learn has it.

Run: python docs/examples/features.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

photos = sys.argv[1]

# ---
from sklearn.model_selection import cross_val_score

import eyespot
from eyespot.features.backbone import load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import embed
from eyespot.heads.estimators import LogisticHead

dataset = eyespot.open_photos(photos)
backbone = load_backbone("efficientnet_lite0")
features, kept, skipped = embed(dataset.photos, backbone, open_engine(backbone), FeatureCache())
inputs = features.inputs(["top.mean"])  # float32 [n, 1280]: signed roots, as heads see them
labels = [dataset.photos[index].label for index in kept]
print(list(features.layout), inputs.shape)
print(cross_val_score(LogisticHead(balanced=True), inputs, labels, cv=3).mean())
