"""Fast R-CNN: shapes and parameter counts of the paper, and weights of VGG-16."""

import pytest
import torch
from torch import nn

from eyespot.models import vgg
from eyespot.models.fast_rcnn import STRIDE, FastRCNN, compress, truncated_svd
from eyespot.models.layers import Dense
from eyespot.models.roi import roi_pool

CONV = 14_714_688  # VGG-16's 138,357,544 without its three fully connected layers
FC6 = (512 * 7 * 7 + 1) * 4096  # 102,764,544
FC7 = (4096 + 1) * 4096  # 16,781,312


def without_memory(num_classes: int) -> FastRCNN:
    with torch.device("meta"):
        return FastRCNN(vgg.build("vgg16", 1000, 3), num_classes).eval()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("classes", "total"), [(20, 134_674_341), (1, 134_285_126)])
def test_parameters(classes: int, total: int) -> None:
    network = without_memory(classes)
    assert count(network.stages) == CONV
    assert count(network.fc6) == FC6
    assert count(network.fc7) == FC7
    assert count(network.classes) == 4097 * (classes + 1)  # K = 20: 86,037
    assert count(network.boxes) == 4097 * 4 * classes  # K = 20: 327,760
    assert count(network) == total
    assert CONV + FC6 + FC7 + 4097 * 1000 == 138_357_544


def test_shapes() -> None:
    network = without_memory(20)
    images = torch.empty(2, 3, 600, 1000, device="meta")
    maps = network.stages(images)
    assert maps.shape == (2, 512, 600 // STRIDE, 1000 // STRIDE)
    boxes, image_of = torch.empty(128, 4, device="meta"), torch.zeros(128, dtype=torch.int64)
    logits, corrections = network(images, boxes, image_of.to("meta"))
    assert logits.shape == (128, 21)
    assert corrections.shape == (128, 20, 4)


def test_compressed_layers() -> None:
    """Section 3.1: t (u + v) weights instead of u v, and the biases."""
    network = without_memory(20)
    compress(network)
    assert count(network.fc6) == 1024 * (25_088 + 4096) + 4096
    assert count(network.fc7) == 256 * (4096 + 4096) + 4096


def test_the_truncated_product_is_the_nearest() -> None:
    """The squared error is the sum of the squares of the singular values left out."""
    torch.manual_seed(0)
    layer = Dense(12, 9)
    values = torch.linalg.svdvals(layer.weight)
    for rank in (1, 5, 9):
        first, second = truncated_svd(layer, rank)
        assert isinstance(first, nn.Linear)
        assert isinstance(second, nn.Linear)
        error = (second.weight @ first.weight - layer.weight).square().sum()
        torch.testing.assert_close(error, values[rank:].square().sum(), rtol=1e-3, atol=1e-8)
    x = torch.randn(4, 3, 2, 2)
    torch.testing.assert_close(truncated_svd(layer, 9)(x), layer(x))
    with pytest.raises(ValueError, match="1 to 9, not 10"):
        truncated_svd(layer, 10)


@pytest.mark.slow
def test_weights_of_vgg_compute_what_vgg_computes() -> None:
    """A box over a whole image of 224 pixels: 14 x 14 positions, whose 7 x 7 bins are the windows
    of VGG's last max pooling, so fc7 sees the same."""
    torch.manual_seed(0)
    network = vgg.build("vgg16", 1000, 3).eval()
    images = torch.rand(2, 3, 224, 224)
    # The box ends within the last position, which belongs to it.
    boxes = torch.tensor([[0.0, 0.0, 210.0, 210.0]] * 2)
    with torch.inference_mode():
        expected = network.forward_features(images)
        detector = FastRCNN(network, 3).eval()
        pooled = roi_pool(detector.stages(images), boxes, torch.arange(2), stride=STRIDE)
        torch.testing.assert_close(pooled, expected["stage5"])
        features = detector.fc7(detector.fc6(pooled))
        torch.testing.assert_close(features, expected["fc7"])
        logits, corrections = detector(images, boxes, torch.arange(2))
        torch.testing.assert_close(logits, detector.classes(features.flatten(1)))
    assert corrections.shape == (2, 3, 4)
