"""Classify or embed a large collection on several machines; find similar photos.

Run: python docs/examples/at_length.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

import eyespot

photos = Path(sys.argv[1])
path = next(p for p in sorted(photos.rglob("*")) if p.is_file())
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
from pathlib import Path

from eyespot.data.parts import Share
from eyespot.data.photos import FileSource, Photo
from eyespot.data.unlabelled import find_unlabelled
from eyespot.features.backbone import load_backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.similar import KeptFeatures, find_similar
from eyespot.features.table import write_features
from eyespot.tasks.predict_table import write_predictions

found = find_unlabelled([photos])  # folders, lists, shards, Parquet files
table = Path("predictions.parquet")
for number in (1, 2):  # each on a machine of its own
    write_predictions(classifier, found.photos, table, share=Share(number, 2))
written = write_predictions(classifier, found.photos, table)  # adds missing parts, and joins
print(written.photos, written.failures, written.failed)

backbone = load_backbone()
features = Path("features.parquet")
write_features(found.photos, backbone, open_engine(backbone), FeatureCache(), features)
for similar in find_similar(Photo("query", FileSource(path)), KeptFeatures(features), k=3):
    print(similar.path, similar.similarity, len(similar.thumbnail))
