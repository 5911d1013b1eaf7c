"""Export a classifier, and check that its predictions agree.

Run: python docs/examples/export.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

import eyespot

photos = sys.argv[1]
classifier = eyespot.teach(photos, method="prototypes").classifier

# ---
exported = eyespot.export(classifier, "openvino", "pets.xml", check_with=photos)
agreement = exported.agreement
print(agreement.same, "of", agreement.photos, "predictions are the same")
print("largest difference in a probability:", agreement.difference)
print("written:", *exported.files)
print(exported.snippet)  # a program that uses the files, without eyespot
# Also "onnx", "torch" and "web"; eyespot.export.write.export_file quantizes to 8 bits.
