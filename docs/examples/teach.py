"""Teach, and look at the figures.

Run: python docs/examples/teach.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

photos = sys.argv[1]

# ---
import eyespot

classifier = eyespot.teach(photos, method="auto").classifier
print(classifier.classes, classifier.recipe.method, classifier.recipe.blocks)
low, high = classifier.metrics["top1_interval"]
print(f"right on {classifier.metrics['top1']:.1%} of unseen photos ({low:.1%} to {high:.1%})")
