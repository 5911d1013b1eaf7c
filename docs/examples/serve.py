"""Send a photo to a server of classifiers.

Run: python docs/examples/serve.py PHOTOS_FOLDER (which holds a folder per class)
"""

import atexit
import subprocess
import sys
from pathlib import Path

import eyespot

eyespot.teach(sys.argv[1], method="prototypes").save("pets.eyespot")
if not Path("photo.jpg").exists():
    first = next(p for p in sorted(Path(sys.argv[1]).rglob("*")) if p.is_file())
    Path("photo.jpg").write_bytes(first.read_bytes())
command = [sys.executable, "-m", "eyespot", "serve", "pets.eyespot", "--port", "0"]
process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
atexit.register(process.communicate)
atexit.register(process.terminate)
assert process.stdout is not None
server = process.stdout.readline().split()[2]

# ---
import json
from pathlib import Path
from urllib.request import Request, urlopen

photo = Path("photo.jpg").read_bytes()
request = Request(f"{server}v1/models/pets:predict", photo, {"Content-Type": "image/jpeg"})
with urlopen(request) as response:
    (prediction,) = json.load(response)["predictions"]
print("none of these" if prediction["unknown"] else prediction["label"], prediction["top"])
