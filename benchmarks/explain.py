"""What explanations cost: heat maps of a dozen photos by occlusion and by Grad-CAM, as the report
could make them after a lesson; and a whole explanation of a photo.
"""

import argparse
import sys
import time

import numpy as np
from measure import keep, photos, summary

from eyespot.data.folders import find_photos
from eyespot.explain.occlusion import slide
from eyespot.explain.photo import explain_photo
from eyespot.report.heat import CELLS, MOST
from eyespot.tasks.classification.teach import teach


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", default="trash")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    lesson = teach(photos(options.set))  # the engine is open and warm, as before a report
    classifier = lesson.classifier
    found = find_photos(photos(options.set)).photos
    picked = [found[i] for i in np.random.default_rng(0).permutation(len(found))[:MOST]]
    prepared = [classifier.prepare(photo.source.read()) for photo in picked]
    occlusion = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        for pixels in prepared:
            slide(classifier, pixels, CELLS)
        occlusion.append(time.perf_counter() - start)
    assert "torch" not in sys.modules, "the lesson has imported torch already"
    start = time.perf_counter()
    from eyespot.explain.gradcam import attention  # brings torch

    attention(classifier, prepared[0], 0)  # builds the network
    first = time.perf_counter() - start
    start = time.perf_counter()
    for pixels in prepared[1:]:
        attention(classifier, pixels, 0)
    others = time.perf_counter() - start
    whole = []
    for photo in picked:
        start = time.perf_counter()
        explain_photo(classifier, photo)
        whole.append(time.perf_counter() - start)
    keep(
        "explain",
        {
            "set": options.set,
            "photos": len(picked),
            "occlusion_seconds": summary(occlusion),
            "grad_cam_seconds": {"first": round(first, 3), "others": round(others, 3)},
            "explain_photo_seconds": summary(whole),
        },
    )


if __name__ == "__main__":
    main()
