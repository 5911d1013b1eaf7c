"""Export a classifier, and see that what was written answers alike.

Run: python docs/examples/export.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

import eyespot

photos = sys.argv[1]
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
exported = eyespot.export(classifier, "openvino", "pets.xml", check_with=photos)
found = exported.agreement
print(found.same, "of", found.photos, "answers are the same; probabilities differ by")
print(found.difference, "at most. Written:", *exported.files)
print(exported.snippet)  # a program that uses them, without eyespot
# The same way: eyespot.export(classifier, "onnx", "pets.onnx"), "torch" with "pets.pt2", and
# "web" with "pets-page". int8: eyespot.export.write.export_onnx(..., calibrate="new-photos").
