"""Evaluate a classifier on other labelled photos.

Run: python docs/examples/evaluate.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

import eyespot

photos = new_photos = sys.argv[1]
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
result = eyespot.evaluate(classifier, new_photos)  # an eyespot.EvaluateResult
print(result.evaluation.top1, result.evaluation.top1_interval, result.evaluation.ece)
print(f"{result.rejected:.1%} are rejected as unknown")
for mistake in result.mistakes:
    print(mistake.path, mistake.label, mistake.predicted, mistake.probability)
if result.known:
    print(len(result.known), "of these photos are training photos: the metrics are too optimistic")
result.report("evaluation.html")
