"""Train a classifier, and print its accuracy.

Run: python docs/examples/teach.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

photos = sys.argv[1]

# ---
import eyespot

result = eyespot.teach(photos, method="auto")
classifier = result.classifier  # an eyespot.Classifier
print(classifier.classes, classifier.recipe.method, classifier.recipe.blocks)
low, high = result.evaluation.top1_interval
print(f"accuracy {result.evaluation.top1:.1%}, 95% CI {low:.1%} to {high:.1%}")
