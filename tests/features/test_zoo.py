"""Every network that has weights is a backbone, and every engine computes the same features of it.

Random weights of the published shapes stand in for the published ones.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eyespot.errors import ConversionError
from eyespot.explain.activations import activations
from eyespot.explain.gradcam import grad_cam
from eyespot.features import conversion, engines
from eyespot.features.backbone import FRESH, Backbone, load_backbone
from eyespot.features.engines import OpenVinoEngine, TorchEngine, open_engine
from eyespot.features.extractor import build_extractor
from eyespot.weights import zoo
from eyespot.weights.store import Pretrained
from eyespot.weights.write import write_weights
from eyespot.weights.zoo import create, find
from tests.models.networks import use_statistics

WITH_WEIGHTS = [
    name
    for name, about in zoo.NETWORKS.items()
    if about.published or about.weights_package or about.module.endswith("mobilenet_v1")
]
QUICK = ("squeezenet1_1", "mobilenet_v1_0.25_128")
OWN = ("mnist_linear", "mnist_hidden", "mnist_conv", "lenet5", "lenet5_1998", "lenet5_1998_rbf")
"""Small grey networks, as `eyespot train` leaves them."""


def own(name: str, folder: Path) -> Backbone:
    """A network with random weights in a file, as a backbone."""
    torch.manual_seed(0)
    about = find(name)
    network = create(name)
    use_statistics(network)
    path = folder / "network.safetensors"
    known = Pretrained(path, "store", about.preprocessing, (), "0" * 64)
    return load_backbone(str(write_weights(path, about, network.state_dict(), known, "a test")))


def check_engines(backbone: Backbone, folder: Path) -> None:
    size = backbone.preprocessing.size
    photos = np.random.default_rng(1).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    found = []
    for engine in (TorchEngine, OpenVinoEngine):
        torch.manual_seed(0)  # of fresh weights
        where: tuple[Any, ...] = (folder,) if engine is OpenVinoEngine else ()
        opened = engine(backbone, "fp32", *where)
        found.append((opened.layout, opened.run(photos)))
    (layout, expected), (columns, features) = found
    assert columns == layout
    np.testing.assert_allclose(features, expected, rtol=1e-2, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in WITH_WEIGHTS
    ],
)
def test_engines_agree_on_every_network_with_weights(name: str, tmp_path: Path) -> None:
    about = find(name)
    whole = replace(about.preprocessing, fit="stretch")
    check_engines(Backbone(name, FRESH, whole, about.feature_blocks), tmp_path)


@pytest.mark.parametrize("name", [*OWN, "nin_cifar10", "resnet20"])
def test_engines_agree_on_networks_of_one_s_own(name: str, tmp_path: Path) -> None:
    check_engines(own(name, tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["alexnet", "lenet5_1998", "mnist_hidden"])
def test_what_the_network_sees_is_drawn(name: str) -> None:
    torch.manual_seed(0)
    network, about = create(name), find(name).preprocessing
    prepared = np.random.default_rng(1).integers(0, 256, (about.size, about.size, 3), np.uint8)
    maps = activations(network, prepared, about)
    assert list(maps) == list(network.stages)
    assert grad_cam(network, prepared, about).ndim == 2


def test_no_map_that_is_read_is_changed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(torch.nn.Module):
        """A stage that begins by changing what it gets."""

        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.ReLU(inplace=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.first(x)[:, :4])

    def with_late(backbone: Backbone) -> Any:
        network: Any = create("mnist_conv")
        network.stages["conv"][2] = torch.nn.Identity()
        network.stages = torch.nn.ModuleDict({"conv": network.stages["conv"], "late": Late()})
        network.head = torch.nn.Flatten()
        return network

    monkeypatch.setattr("eyespot.features.extractor.load_network", with_late)
    about = find("mnist_conv")
    described = Backbone("mnist_conv", FRESH, about.preprocessing, ("conv.mean", "late.mean"))
    noise = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3), dtype=np.uint8)
    torch.manual_seed(0)
    extractor: Any = build_extractor(described)[0]
    maps = extractor.maps(torch.from_numpy(noise))
    assert maps["conv"].min() < 0 <= maps["late"].min()


def cannot_convert(*_: object) -> None:
    raise type("OpConversionFailure", (Exception,), {})("no aten::frobnicate\nat line 1")


def with_another_answer(real: Any) -> Any:
    def to_openvino(module: torch.nn.Module, example: torch.Tensor) -> Any:
        for layer in module.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.data = -layer.weight.data
                model = real(module, example)
                layer.weight.data = -layer.weight.data
                return model
        raise AssertionError

    return to_openvino


@pytest.mark.parametrize("fault", ["cannot convert", "another answer"])
def test_torch_takes_over_where_a_conversion_fails(
    fault: str,
    backbone: Backbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = conversion.to_openvino
    broken = cannot_convert if fault == "cannot convert" else with_another_answer(real)
    monkeypatch.setattr(conversion, "to_openvino", broken)
    monkeypatch.setattr(engines, "_has_gpu", lambda: False)
    assert isinstance(open_engine(backbone, folder=tmp_path), TorchEngine)
    (record,) = caplog.records
    said = record.getMessage()
    reason = "cannot run resnet20 (OpConversionFailure: no aten::frobnicate at line 1)"
    assert (reason if fault == "cannot convert" else "other features of resnet20") in said
    assert said.endswith("torch runs the network instead, more slowly.")
    assert not list(tmp_path.iterdir())  # no half of a graph is kept
    with pytest.raises(ConversionError, match="resnet20"):
        open_engine(backbone, "openvino", folder=tmp_path)
    monkeypatch.setattr(conversion, "to_openvino", real)
    assert isinstance(open_engine(backbone, folder=tmp_path), OpenVinoEngine)
