"""Why a classifier says what it says of a photo.

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

found = eyespot.explain(classifier, path)  # an eyespot.Explanation
print(found.answer, found.rival, found.gap)
for near in found.near or ():
    print(near.name, near.label, near.similarity)
if found.change:
    print(len(found.change.boxes), "squares covered:", found.change.label)
draw_explanation(found).save("explained.png")
