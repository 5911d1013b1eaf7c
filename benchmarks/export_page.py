"""How far the answers of an exported page in Chromium are from the classifier's, on real photos.

Run: python benchmarks/export_page.py CLASSIFIER PHOTOS

Asks about the photos as they are, and as PNG files, which the browser halves and eyespot's decoder
does not. Fetches onnxruntime-web unless it is in the cache.
"""

import io
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests have a browser and a server

import eyespot
from eyespot.data.decode import decode
from eyespot.data.photos import Photo
from eyespot.features.engines import open_engine
from eyespot.tasks.classification.classifier import Classifier
from tests.export.test_web import opened, served, shown
from tests.studio.browser import find_browser

MOST = 200


def main(model: str, folder: str) -> None:
    here = eyespot.load(model)
    exact = replace(here, _engine=open_engine(here.backbone, precision="fp32"))
    found = eyespot.find_photos([folder]).photos
    photos = [found[i] for i in np.linspace(0, len(found) - 1, min(MOST, len(found))).astype(int)]
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        eyespot.export(here, "web", Path(place) / "page", check_with=folder)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        with served(Path(place) / "page") as address, opened(browser, address) as page:
            for kind in ("as they are", "as PNG"):
                print(f"{Path(model).name}, {kind}: {compare(page, exact, photos, kind)}")
        browser.close()


def compare(page: Page, classifier: Classifier, photos: list[Photo], kind: str) -> str:
    same, apart, times = 0, [], []
    for photo in photos:
        content = photo.read() if kind == "as they are" else png(photo.read())
        answer = classifier.predict(content, top=len(classifier.classes))
        page.evaluate("document.getElementById('speed').textContent = ''")
        file = FilePayload(name="photo", mimeType="image/*", buffer=content)
        page.set_input_files("#file", file)
        label, shares = shown(page)
        same += label == (answer.label or "None of these")
        expected = dict(answer.top)
        apart.append(max(abs(shares[i] - expected[n]) for i, n in enumerate(classifier.classes)))
        times.append(int(re.findall(r"^\d+", page.inner_text("#speed"))[0]))
    return (
        f"{same} of {len(photos)} the same answer; probabilities differ by {max(apart):.5f} at "
        f"most, half of them by less than {np.median(apart):.7f}; {np.median(times):.0f} ms a photo"
    )


def png(content: bytes) -> bytes:
    out = io.BytesIO()
    Image.fromarray(decode(content).pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:3])
