"""Measure a classifier on photos that it has not seen.

Run: python docs/examples/examine.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

import eyespot

photos = new_photos = sys.argv[1]
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
exam = eyespot.evaluate(classifier, new_photos)
print(exam.evaluation.top1, exam.evaluation.top1_interval, exam.evaluation.ece)
print(f"{exam.rejected:.1%} would be answered with none of these")
for mistake in exam.mistakes:
    print(mistake.path, mistake.label, mistake.said, mistake.probability)
if exam.known:
    print(len(exam.known), "of these photos were taught: the figures flatter")
