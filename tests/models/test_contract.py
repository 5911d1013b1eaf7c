"""What every registered network promises, whatever its paper."""

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from eyespot.errors import UsageError
from eyespot.features.conversion import openvino_core, to_openvino
from eyespot.models.convnet import ConvNet
from eyespot.weights import zoo
from tests.models.networks import use_statistics

NAMES = list(zoo.NETWORKS)
QUICK = (
    "mnist_conv",
    "lenet5_1998",
    "lenet5_1998_rbf",
    "nin_cifar10",
    "googlenet_2014",
    "resnet18_a",
    "resnet20",
    "squeezenet1_1",
    "mobilenet_v1_0.25_128",
    "mobilenet_v2",
    "tiny_yolo_face",
)
"""One or two small networks of each family; the others take longer, and test nothing more."""
EXPORTED = ("mnist_conv", "squeezenet1_1")
"""A plain and a branched network: each export to ONNX takes up to 10 s."""


def slow_but(quick: tuple[str, ...], names: Sequence[str] = NAMES) -> list[Any]:
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


DEEP = re.compile(r"plain110|resnet(101|110|152)")
"""Only longer than other networks of their families."""
SHALLOW = slow_but(tuple(name for name in NAMES if not DEEP.match(name)))
DETECTORS = ("tiny_yolo_face", "tiny_yolo_face_padded")


def without_memory(
    name: str, num_classes: int | None = None, in_channels: int | None = None
) -> ConvNet:
    """The network on torch's meta device: shapes without numbers, at once however large."""
    with torch.device("meta"):
        return zoo.create(name, num_classes=num_classes, in_channels=in_channels).eval()


def images(network: ConvNet, height: int, width: int, count: int = 2) -> Tensor:
    return torch.empty(count, network.in_channels, height, width, device="meta")


def side_of(name: str) -> int:
    return zoo.find(name).preprocessing.size


@pytest.mark.parametrize("name", SHALLOW)
def test_stages_and_head(name: str) -> None:
    network = without_memory(name, num_classes=7, in_channels=2)
    x = images(network, side_of(name), side_of(name))
    maps = network.forward_features(x)
    assert set(network.stages) <= set(maps)
    assert all(value.ndim == 4 and len(value) == 2 for value in maps.values())
    *_, last = maps.values()
    assert last.shape[1] == network.num_features
    out = network(x)
    assert out.shape == network.forward_head(last).shape
    assert out.shape[:2] == (2, 7)
    assert out.ndim == (4 if name in DETECTORS else 2)
    with pytest.raises(UsageError, match="1 or more"):
        network.reset_head(0)
    network.reset_head(3)
    assert network(x).shape[1] == 3
    for block in zoo.find(name).feature_blocks:
        assert block.rpartition(".")[0] in maps
    assert zoo.find(name).feature_blocks[-1].rpartition(".")[0] == list(maps)[-1]


@pytest.mark.parametrize("name", SHALLOW)
def test_other_sizes_fit_or_are_refused_with_the_one_that_does(name: str) -> None:
    network = without_memory(name)
    least = network.min_size
    assert len(network(images(network, least, least))) == 2
    if network.fixed_size:
        with pytest.raises(UsageError, match=f"{least} x {least} pixels only"):
            network(images(network, least + 13, least + 6))
    else:
        assert len(network(images(network, least + 13, least + 6))) == 2
        if least > 1:
            network.min_size = 1
            with pytest.raises(RuntimeError):  # it is the least that it could be
                network(images(network, least - 1, least - 1))
            network.min_size = least
    if least > 1:
        with pytest.raises(UsageError, match=f"{least} x {least} pixels"):
            network(images(network, least, least - 1))
    with pytest.raises(UsageError, match=rf"\[N, {network.in_channels}, H, W\]"):
        network(torch.empty(1, network.in_channels + 1, 64, 64, device="meta"))
    with pytest.raises(UsageError, match=r"\[N, "):
        network(torch.empty(network.in_channels, 64, 64, device="meta"))


def ready(name: str) -> tuple[ConvNet, Tensor]:
    """The network with numbers in its batch norms that are not those of a fresh one."""
    torch.manual_seed(0)
    network = zoo.create(name)
    use_statistics(network)
    side = side_of(name)
    return network.eval(), torch.rand(2, network.in_channels, side, side)


@pytest.mark.parametrize("name", slow_but(QUICK))
def test_training_reaches_every_weight(name: str) -> None:
    network, x = ready(name)
    network.train()
    auxiliary = getattr(network, "auxiliary", None)
    maps = network.forward_features(x)
    loss = network.forward_head(list(maps.values())[-1]).square().mean()
    if auxiliary is not None:
        loss = loss + sum(logits.square().mean() for logits in auxiliary(maps))
    loss.backward()  # type: ignore[no-untyped-call]
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
    with torch.no_grad():
        assert torch.equal(network.eval()(x), network(x))  # eval mode is deterministic


def same(expected: NDArray[np.float32], found: NDArray[np.float32]) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def in_openvino(network: ConvNet, x: Tensor, folder: Path) -> NDArray[np.float32]:
    core = openvino_core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    return np.asarray(core.compile_model(to_openvino(network, x), "CPU", exact)(x.numpy())[0])


def in_onnx(network: ConvNet, x: Tensor, folder: Path) -> NDArray[np.float32]:
    file = folder / "network.onnx"
    torch.onnx.export(network, (x,), file, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


def compiled(network: ConvNet, x: Tensor, folder: Path) -> NDArray[np.float32]:
    with torch.inference_mode():
        out: Any = torch.compile(network, dynamic=False)(x)
    torch._dynamo.reset()
    return np.asarray(out.numpy())


Runner = Callable[[ConvNet, Tensor, Path], NDArray[np.float32]]


@pytest.mark.parametrize("name", slow_but(QUICK))
@pytest.mark.filterwarnings("ignore")  # tracing warns that sizes become constants
def test_openvino_computes_the_same(name: str, tmp_path: Path) -> None:
    check_engine(name, in_openvino, tmp_path)


@pytest.mark.parametrize("name", slow_but(EXPORTED))
@pytest.mark.filterwarnings("ignore")
def test_onnx_computes_the_same(name: str, tmp_path: Path) -> None:
    check_engine(name, in_onnx, tmp_path)


def check_engine(name: str, run: Runner, tmp_path: Path) -> None:
    network, x = ready(name)
    with torch.inference_mode():
        expected = network(x).numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(expected, run(network, x, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *QUICK,
        "alexnet",
        "vgg11",
        "nin_imagenet",
        "googlenet",
        "resnet50_a",
        "mnist_hidden",
        "squeezenet1_0",
        "mobilenet_v1",
        "efficientnet_lite0",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_compiled_computes_the_same(name: str, tmp_path: Path) -> None:
    network, x = ready(name)
    with torch.inference_mode():
        expected = network(x).numpy()
    same(expected, compiled(network, x, tmp_path))


def test_the_paper_s_dropout() -> None:
    alexnet = zoo.create("alexnet_2012", num_classes=2)
    hidden = alexnet.stages["fc7"](torch.ones(1, 4096, 1, 1))
    assert 0.4 < (hidden == 0).float().mean() < 0.6  # biases of 1 leave few zeros to ReLU
