"""Open photos with boxes, and write them in another format.

Run: python docs/examples/boxes.py
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(tempfile.mkdtemp())
(folder / "cells").mkdir()
for name in ("1", "2"):
    noise = np.random.default_rng(int(name)).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / f"cells/{name}.jpg")
rows = "1.jpg,10,20,30,40,RBC\n1.jpg,40,5,60,25,WBC\n2.jpg,,,,,\n"
(folder / "cells/boxes.csv").write_text("path,xmin,ymin,xmax,ymax,label\n" + rows)

# ---
import eyespot
from eyespot.data.boxes.open import box_format
from eyespot.data.boxes.write import write_boxes

print(box_format(folder / "cells"))  # CSV
dataset = eyespot.open_boxes(folder / "cells")
print(len(dataset.photos), dataset.classes, dataset.skipped)
for finding in dataset.findings:
    print(finding.severity, finding.message)
for one in dataset.photos:  # float32 [n, 4], n labels, bool [n]
    print(one.photo.name, one.photo.split, one.boxes, one.labels, one.ignored)
write_boxes(dataset, folder / "cells-yolo", to="yolo")
