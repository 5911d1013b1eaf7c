"""The cache may be deleted at will, also while a program runs (docs/concepts/cache.md)."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from eyespot.errors import WeightsError
from eyespot.features import own_weights
from eyespot.features.backbone import Backbone, load_network
from eyespot.features.engines import OPENVINO_BATCH, OpenVinoEngine
from eyespot.features.own_weights import own_file


def test_an_open_engine_needs_no_file(backbone: Backbone, tmp_path: Path) -> None:
    """Of a batch that it has not run yet, too."""
    folder = tmp_path / "networks"
    size = backbone.preprocessing.size
    pictures = np.random.default_rng(0).integers(0, 256, (5, size, size, 3), dtype=np.uint8)
    expected = OpenVinoEngine(backbone, "fp32", folder).run(pictures)
    engine = OpenVinoEngine(backbone, "fp32", folder)
    shutil.rmtree(folder)
    np.testing.assert_allclose(engine.run(pictures), expected, rtol=1e-5, atol=1e-5)
    shutil.rmtree(folder, ignore_errors=True)
    np.testing.assert_allclose(engine.run(pictures[:1]), expected[:1], rtol=1e-3, atol=1e-3)
    assert len(pictures) > OPENVINO_BATCH


def test_weights_of_an_open_classifier_need_no_file(backbone: Backbone, own_cache: Path) -> None:
    before = load_network(backbone).state_dict()
    shutil.rmtree(own_cache / "own")
    after = load_network(backbone).state_dict()
    assert all(bool((after[name] == value).all()) for name, value in before.items())


def test_damaged_weights_are_not_taken(
    backbone: Backbone, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_weights, "_unkept", {})
    (path,) = (own_cache / "own").iterdir()
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(WeightsError, match="damaged"), own_file(backbone.sha256):
        pass
