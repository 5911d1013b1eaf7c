"""Classify many photos in bounded memory.

Run: python docs/examples/predict_batch.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

import eyespot

photos = sys.argv[1]
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
found = eyespot.find_photos([photos])  # files, folders, patterns
for skipped in found.skipped:
    print(skipped.path, skipped.reason)
for prediction in classifier.predict_batch(found.photos, top=1):
    print(prediction.path, prediction.error or prediction.label, prediction.probability)
