"""Boxes of a program.

Run: python docs/examples/own_boxes.py
"""

import numpy as np

image = np.zeros((480, 640, 3), np.uint8)

# ---
from eyespot.data.boxes.open import open_boxes

boxes = [[10, 20, 110, 90], [300, 40, 420, 200]]  # xmin, ymin, xmax, ymax in pixels
dataset = open_boxes([(image, boxes, ["RBC", "WBC"]), (image, [], [])])
print(dataset.classes, [len(one.boxes) for one in dataset.photos])
