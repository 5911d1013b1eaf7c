"""Change the classes of a classifier, without reading its photos again.

Run: python docs/examples/change_classes.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

import eyespot

photos = Path(sys.argv[1])
classifier = eyespot.teach(photos, method="prototypes").classifier
new = [p for p in sorted(photos.rglob("*")) if p.is_file()][:3]

# ---
skipped = classifier.add_class("other", new)  # unreadable photos
skipped += classifier.add_photos("other", new)  # known photos are ignored
classifier.rename_class("other", "something else")
print(classifier.classes, classifier.metrics["top1"])
classifier.remove_class("something else")
classifier.save("changed.eyespot")
print(eyespot.load("changed.eyespot").classes)
