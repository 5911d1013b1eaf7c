"""Damaged photos of every format, and requests that a machine made up: words, never a failure."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from tests.pictures import patches
from tests.serve.conftest import Asker, asking
from tests.serve.test_server import serving

PREDICT = "/v1/models/surfaces:predict"
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "ICO", "JPEG2000", "AVIF", "HEIF"]
TOGETHER = 30
"""Photos in a request."""
ODD = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def originals() -> list[bytes]:
    """A small real photo in every format that is written here, in colour and in grey."""
    found = []
    for kind in FORMATS:
        if kind == "AVIF" and not features.check("avif"):
            continue
        if kind == "HEIF":
            try:
                import pillow_heif
            except ImportError:
                continue
            pillow_heif.register_heif_opener()
        for mode, options in (("RGB", {}), ("L", {}), ("RGB", {"exif": Image.Exif()})):
            file = io.BytesIO()
            Image.fromarray(patches("brick", 1)[0]).convert(mode).save(file, kind, **options)
            found.append(file.getvalue())
    file = io.BytesIO()
    Image.fromarray(patches("grass", 1)[0]).save(file, "JPEG", progressive=True, quality=40)
    return [*found, file.getvalue()]


def damaged(original: bytes, rng: np.random.Generator) -> bytes:
    """One to eight changes: bytes, most of them near the start, where sizes and tables are; parts
    that are cut out, doubled, or overwritten."""
    data = bytearray(original)
    for _ in range(rng.integers(1, 9)):
        if not data:
            break
        at = int(
            rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(min(len(data), 600))
        )
        length = int(rng.integers(1, 65))
        match rng.integers(6):
            case 0:
                data[at] ^= 1 << rng.integers(8)
            case 1:
                data[at] = rng.choice(ODD)
            case 2:
                data[at : at + 4] = int(rng.integers(2**32)).to_bytes(4, "big")
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
            case _:
                del data[at if rng.random() < 0.2 else len(data) - length :]
    return bytes(data)


def fuzz(asker: Asker, count: int, seed: int) -> Iterator[dict[str, object]]:
    """What is said of each."""
    rng, files = np.random.default_rng(seed), originals()
    for start in range(0, count, TOGETHER):
        part = [damaged(files[(start + n) % len(files)], rng) for n in range(TOGETHER)]
        sent = [("file", (str(n), data, "image/png")) for n, data in enumerate(part)]
        answer = asker.post(PREDICT, files=sent)
        assert answer.status_code == 200, (seed, start, answer.text)
        said = answer.json()["predictions"]
        assert [one["name"] for one in said] == [str(n) for n in range(TOGETHER)]
        yield from said
        alone = asker.post(PREDICT, content=part[0], headers={"Content-Type": "image/png"})
        assert alone.status_code == (422 if said[0]["error"] else 200), (seed, start, alone.text)
    assert asker.served().batcher.works
    assert asker.served().batcher.waiting == 0


def check(said: list[dict[str, object]]) -> None:
    bad = [one["error"] for one in said if one["error"]]
    assert all(isinstance(error, dict) and len(error["message"]) > 5 for error in bad)
    assert len(said) / 10 < len(bad) < len(said)  # else nothing was tried


def test_damaged_photos(asker: Asker) -> None:
    check(list(fuzz(asker, 300, seed=0)))


@pytest.mark.slow
def test_ten_thousand_damaged_photos(surfaces: Path) -> None:
    with asking(surfaces, photos=TOGETHER, seconds=120) as asker:
        check(list(fuzz(asker, 10_000, seed=1)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # schemathesis' own
def test_made_up_requests(surfaces: Path) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    held = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.unsupported_method,
    ]

    def ask(case: Any) -> None:
        case.call_and_validate(checks=held)

    with serving(surfaces) as running:
        schema = schemathesis.openapi.from_url(f"{running.address}openapi.json")
        found: list[Any] = list(schema.get_all_operations())
        operations = [result.ok() for result in found]
        assert len(operations) == 7
        for operation in operations:
            check = given(case=operation.as_strategy())(ask)
            settings(
                max_examples=50,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(check)()
        code, lines = running.stop()
    assert code == 0
    assert {line["event"] for line in lines} == {"started", "request", "stopping", "stopped"}
