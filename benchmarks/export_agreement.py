"""How far an exported classifier's answers are from the classifier's own, on real photos.

Run: python benchmarks/export_agreement.py CLASSIFIER PHOTOS

The ONNX file gets the photos as its printed program reads them, with Pillow. Its answers are
compared with the classifier's in float32, and with those on this machine (bf16, if the processor
has it).
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import eyespot
from eyespot.data.photos import FileSource
from eyespot.data.transforms import needed_short_side
from eyespot.export.formats import onnx_file, run_onnx
from eyespot.features.engines import open_engine

MOST = 200


def main(model: str, folder: str) -> None:
    here = eyespot.load(model)
    exact = replace(here, _engine=open_engine(here.backbone, precision="fp32"))
    short_side = needed_short_side(here.backbone.preprocessing)
    run = run_onnx(onnx_file(here))
    found = eyespot.find_photos([folder]).photos
    paths = [p.source.path for p in found if isinstance(p.source, FileSource)]
    paths = [paths[i] for i in np.linspace(0, len(paths) - 1, min(MOST, len(paths))).astype(int)]
    for name, classifier in (("float32", exact), ("as it answers here", here)):
        same, apart = 0, []
        for path in paths:
            answer = classifier.predict(path, top=len(here.classes))
            shares, _, unknown = run(pixels_of(path, short_side))
            label = None if unknown else here.classes[np.argmax(shares)]
            same += label == answer.label
            expected = dict(answer.top)
            apart.append(max(abs(shares[i] - expected[n]) for i, n in enumerate(here.classes)))
        print(
            f"{Path(model).name}, {name}: {same} of {len(paths)} the same answer; probabilities "
            f"differ by {max(apart):.5f} at most, half of them by less than {np.median(apart):.7f}"
        )


def pixels_of(path: Path, short_side: int) -> np.ndarray:
    photo = Image.open(path)
    photo.draft("RGB", (short_side, short_side))
    return np.asarray(ImageOps.exif_transpose(photo).convert("RGB"))


if __name__ == "__main__":
    main(*sys.argv[1:3])
