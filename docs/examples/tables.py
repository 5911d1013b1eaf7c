"""Name the columns of a table.

Run: python docs/examples/tables.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
import tempfile
from pathlib import Path

photos = Path(sys.argv[1]).resolve()
table = Path(tempfile.mkdtemp()) / "photos.csv"
rows = [f"{p},{p.parent.name}\n" for p in sorted(photos.rglob("*")) if p.is_file()]
table.write_text("file,animal\n" + "".join(rows))

# ---
import eyespot

dataset = eyespot.open_photos(table, label_column="animal")
print(dataset.classes, [finding.message for finding in dataset.findings])
