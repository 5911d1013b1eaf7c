"""Train a network from scratch, and print its learning curve.

Run: python docs/examples/train.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys

photos = sys.argv[1]

# ---
from pathlib import Path

from eyespot.tasks.classification.train import train_on
from eyespot.training.plan import Plan

plan = Plan("resnet20", epochs=2, batch_size=8, learning_rate=0.05, augmentation="small")
done = train_on(photos, plan, Path("own-network"))  # the same call resumes an interrupted run
for epoch in done.trained.epochs:
    print(epoch.epoch, epoch.learning_rate, epoch.loss, epoch.val_loss, epoch.val_accuracy)
print(done.validated, done.test, done.skipped)
print(done.trained.classes, done.path)
