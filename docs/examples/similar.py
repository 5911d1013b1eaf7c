"""Compute features; find similar photos in a file that `eyespot embed` wrote.

Run: python docs/examples/similar.py PHOTOS_FOLDER (which holds a folder per class)
"""

import subprocess
import sys
from pathlib import Path

photos = Path(sys.argv[1])
path = next(p for p in sorted(photos.rglob("*")) if p.is_file())
command = [sys.executable, "-m", "eyespot", "embed", str(photos), "-o", "features.parquet"]
subprocess.run(command, check=True)

# ---
import eyespot

features = eyespot.embed([path])
print(features.names, list(features.layout), features.values.shape)
for photo in eyespot.similar(path, "features.parquet", k=3):
    print(photo.path, photo.similarity)
