"""With the same weights our networks compute what torchvision's do, forward and gradient."""

from importlib import import_module

import pytest
import torch
from torch import Tensor, nn

from eyespot.models.googlenet import GoogLeNet
from eyespot.weights import zoo
from eyespot.weights.foreign import renamed
from tests.models.networks import use_statistics
from tests.models.oracle import torchvision_models

QUICK = (
    "alexnet",
    "googlenet",
    "resnet18",
    "resnet50",
    "squeezenet1_0",
    "mobilenet_v2",
)
NAMES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name, network in zoo.NETWORKS.items()
    if network.published
]


def theirs_and_ours(name: str, dtype: torch.dtype = torch.float64) -> tuple[nn.Module, nn.Module]:
    """torchvision's network with random weights, and ours with the same."""
    torch.manual_seed(0)
    options = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
    theirs = torchvision_models.get_model(name, weights=None, **options).to(dtype)
    use_statistics(theirs)
    ours = zoo.create(name).to(dtype)
    names = import_module(zoo.find(name).module).torchvision_names(name)
    ours.load_state_dict(renamed(theirs.state_dict(), names))
    return theirs, ours


@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_gradients_are_the_same(name: str) -> None:
    theirs, ours = theirs_and_ours(name)
    side = {"googlenet": 224, "alexnet": 96}.get(name, 64)
    images = torch.rand(1, 3, side, side, dtype=torch.float64)
    found = []
    for network in (theirs.eval(), ours.eval()):
        x = images.clone().requires_grad_()
        logits = network(x)
        logits.square().sum().backward()
        assert x.grad is not None
        found.append((logits.detach(), x.grad))
    (their_logits, their_gradient), (our_logits, our_gradient) = found
    assert relative(our_logits, their_logits) < 1e-5
    assert relative(our_gradient, their_gradient) < 1e-5
    names = import_module(zoo.find(name).module).torchvision_names(name)
    gradients = {key: p.grad for key, p in theirs.named_parameters() if p.grad is not None}
    mapped = renamed(gradients, names)
    for key, parameter in ours.named_parameters():
        if parameter.grad is not None:
            assert relative(parameter.grad, mapped[key]) < 1e-5, key


def test_outputs_of_vgg_are_the_same() -> None:
    """Quick: its gradients take gigabytes."""
    theirs, ours = theirs_and_ours("vgg11_bn", torch.float32)
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert relative(ours.eval()(images), theirs.eval()(images)) < 1e-4


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-30))


def test_auxiliary_classifiers_of_googlenet() -> None:
    theirs, ours = theirs_and_ours("googlenet")
    assert isinstance(ours, GoogLeNet)
    images = torch.rand(2, 3, 224, 224, dtype=torch.float64)
    for network in (theirs, ours):
        network.train()
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
    with torch.no_grad():
        expected = theirs(images)
        maps = ours.forward_features(images)
        first, second = ours.auxiliary(maps)
        logits = ours.forward_head(maps["5b"])
    assert relative(logits, expected.logits) < 1e-5
    assert relative(first, expected.aux_logits1) < 1e-5
    assert relative(second, expected.aux_logits2) < 1e-5


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1"])
def test_training_steps_are_the_same(name: str) -> None:
    theirs, ours = theirs_and_ours(name)
    images = torch.rand(4, 3, 32, 32, dtype=torch.float64)
    outputs = []
    for network in (theirs, ours):
        network.train()
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)
        for _ in range(2):
            optimiser.zero_grad()
            network(images).square().mean().backward()
            optimiser.step()
        with torch.no_grad():
            outputs.append(network.eval()(images))
    assert relative(outputs[1], outputs[0]) < 1e-5
