"""Use a trained network: as a classifier, and in torch.

Run: python docs/examples/trained.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

from eyespot.tasks.classification.train import train_on
from eyespot.training.plan import Plan

photo = next(path for path in Path(sys.argv[1]).rglob("*") if path.is_file())
train_on(sys.argv[1], Plan("resnet20", epochs=1, batch_size=8), Path("pets-network"))

# ---
import eyespot

classifier = eyespot.load("pets-network/classifier.eyespot")
print(classifier.predict(photo).top, classifier.metrics["evaluated_on"])

network = eyespot.models.create("resnet20", weights="pets-network/network.safetensors")
network.reset_head(5)  # the stages keep their trained weights; the head is initialized anew
