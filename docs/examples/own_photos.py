"""Train on lists of photos and labels, with groups.

Run: python docs/examples/own_photos.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

photos = Path(sys.argv[1])
paths = [p for p in sorted(photos.rglob("*")) if p.is_file()]
labels = [p.parent.name for p in paths]

# ---
from dataclasses import replace

import eyespot

dataset = eyespot.open_photos(paths, labels)  # what teach(paths, labels) opens
print(type(dataset) is eyespot.Dataset, dataset.classes, len(dataset.photos), dataset.skipped)
# Photos of one group, such as a burst, stay on one side of every split.
bursts = [replace(photo, group=f"burst {i // 2}") for i, photo in enumerate(dataset.photos)]
print(type(bursts[0]) is eyespot.Photo, bursts[0].name, bursts[0].label, bursts[0].group)
result = eyespot.teach(eyespot.Dataset(tuple(bursts)), method="prototypes")
