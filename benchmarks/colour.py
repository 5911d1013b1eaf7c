"""What colour profiles cost: decoding and fitting JPEGs without one, with sRGB's and Display P3's.

The photos are those of a set, saved again with each profile; one core.
"""

import io
import sys
import time
from pathlib import Path

from measure import REPOSITORY, keep, photos, summary
from PIL import Image, ImageCms

from eyespot.data.decode import decode
from eyespot.data.transforms import Preprocessing, needed_short_side, prepare

sys.path.insert(0, str(REPOSITORY))
from tests.data.profiles import DISPLAY_P3, rgb_profile

COUNT, RUNS = 200, 5
SQUARE = Preprocessing(224, (0.0,) * 3, (1.0,) * 3, fit="stretch")
SIZES = {"as they are": None, "4000 x 3000": (4000, 3000)}


def saved(path: Path, size: tuple[int, int] | None, profile: bytes | None) -> bytes:
    file = io.BytesIO()
    with Image.open(path) as image:
        photo = image.convert("RGB")
    (photo.resize(size) if size else photo).save(file, "JPEG", quality=90, icc_profile=profile)
    return file.getvalue()


def rate(files: list[bytes]) -> float:
    """Photos per second."""
    start = time.perf_counter()
    for data in files:
        prepare(decode(data, short_side=needed_short_side(SQUARE)).pixels, SQUARE)
    return len(files) / (time.perf_counter() - start)


def main() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profiles = {"none": None, "sRGB": srgb, "Display P3": rgb_profile(DISPLAY_P3)}
    paths = sorted(photos("dogs-cats").glob("*/*.jpg"))[:COUNT]
    found = {}
    for name, size in SIZES.items():
        some = paths if size is None else paths[:20]
        files = {
            kind: [saved(p, size, profile) for p in some] for kind, profile in profiles.items()
        }
        rates: dict[str, list[float]] = {kind: [] for kind in profiles}
        for _ in range(RUNS):
            for kind, these in files.items():
                rates[kind].append(rate(these))
        found[name] = {kind: summary(values) for kind, values in rates.items()}
    keep("colour", found)


if __name__ == "__main__":
    main()
