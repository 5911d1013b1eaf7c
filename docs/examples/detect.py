"""Train a detector, evaluate it, and find objects.

Run: python docs/examples/detect.py
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

folder = Path(tempfile.mkdtemp())
(folder / "cells").mkdir()
random = np.random.default_rng(0)
rows = ["path,split,xmin,ymin,xmax,ymax,label"]
for number in range(1, 6):
    image = Image.fromarray(random.integers(150, 255, (96, 128, 3), dtype=np.uint8))
    x, y = random.integers(5, 60, 2).tolist()
    ImageDraw.Draw(image).ellipse((x, y, x + 30, y + 30), fill=(200, 40, 60))
    image.save(folder / f"cells/{number}.png")
    split = "test" if number > 3 else "train"
    rows.append(f"{number}.png,{split},{x},{y},{x + 31},{y + 31},RBC")
(folder / "cells/boxes.csv").write_text("\n".join(rows))

# ---
import eyespot

dataset = eyespot.open_boxes(folder / "cells")
result = eyespot.teach(dataset, task="detect", method="dense")
print(result.evaluation.average_precision.ap50, result.evaluated_on)
result.save(folder / "cells.eyespot")

detector = eyespot.load(folder / "cells.eyespot")
assert isinstance(detector, eyespot.Detector)
prediction = detector.predict(folder / "cells/1.png")
print(prediction.counts())
for box in prediction.boxes:  # each an eyespot.Box
    print(box.label, box.probability, box.xmin, box.ymin, box.xmax, box.ymax)
print(eyespot.evaluate(detector, dataset).evaluation.at_threshold.count_mae)
