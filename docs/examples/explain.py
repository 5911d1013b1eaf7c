"""Explain the prediction for a photo.

Run: python docs/examples/explain.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

import eyespot

photos = Path(sys.argv[1])
path = next(p for p in sorted(photos.rglob("*")) if p.is_file())
classifier = eyespot.teach(photos, method="svm").classifier

# ---
import eyespot
from eyespot.explain.photo_page import draw_explanation

explanation = eyespot.explain(classifier, path)  # an eyespot.Explanation
print(explanation.answer, explanation.rival, explanation.gap)
for near in explanation.near or ():
    print(near.name, near.label, near.similarity)
if explanation.change:
    print(len(explanation.change.boxes), "squares covered:", explanation.change.label)
draw_explanation(explanation).save("explained.png")
