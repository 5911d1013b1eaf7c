"""Memory stays bounded however much there is to do. Each check runs in a process of its own."""

import subprocess
import sys
import textwrap

import pytest


def peak_gigabytes(program: str) -> float:
    measured = textwrap.dedent(program) + textwrap.dedent(
        """
        import resource
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", measured], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


@pytest.mark.slow
def test_a_hundred_thousand_photos_stream_through() -> None:
    """All steps but the network's own arithmetic, which keeps nothing from one batch to the next,
    run 100,000 times."""
    assert (
        peak_gigabytes("""
        import io
        import numpy as np
        from PIL import Image
        from eyespot.data.photos import MemorySource, Photo
        from eyespot.features.backbone import load_backbone
        from eyespot.features.engines import open_engine
        from eyespot.features.extract import stream

        backbone = load_backbone()
        engine = open_engine(backbone)
        once = engine.run(np.zeros((1, 224, 224, 3), np.uint8))
        engine.run = lambda images: np.repeat(once, len(images), axis=0)

        def photos():
            for number in range(100_000):
                file = io.BytesIO()
                colour = (number % 256, number // 256 % 256, number // 65536)
                Image.new("RGB", (48, 48), colour).save(file, "PNG", compress_level=1)
                yield Photo(str(number), MemorySource(file.getvalue()))

        done = sum(item.record is not None for item in stream(photos(), backbone, engine))
        assert done == 100_000
        """)
        < 1.5
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["logistic", "svm"])
def test_a_linear_head_of_a_hundred_thousand_photos(method: str) -> None:
    assert (
        peak_gigabytes(f"""
        import numpy as np
        from eyespot.heads import make_method

        rng = np.random.default_rng(0)
        labels = rng.integers(0, 100, 100_000)
        features = rng.standard_normal((100_000, 1280), dtype=np.float32)
        features += rng.standard_normal((100, 1280), dtype=np.float32)[labels] * 0.12
        head = make_method({method!r}).prepare(features).fit(labels, 100, 1e-3)
        assert (head.scores(features[:2000]).argmax(axis=1) == labels[:2000]).mean() > 0.5
        """)
        < 3
    )
