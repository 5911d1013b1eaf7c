"""RoI pooling against loops that follow the papers' programs word by word."""

import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from eyespot.features.conversion import openvino_core, to_openvino
from eyespot.models.roi import roi_align, roi_pool

STRIDE = 16


def slow_roi_pool(maps: Tensor, box: list[float], size: int) -> Tensor:
    """One box on maps [C, H, W], as the layer of Fast R-CNN's program computes it."""
    channels, height, width = maps.shape
    x1, y1, x2, y2 = (math.floor(corner / STRIDE + 0.5) for corner in box)
    rows, columns = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
    pooled = torch.zeros(channels, size, size)
    for i in range(size):
        for j in range(size):
            top = min(max(y1 + i * rows // size, 0), height)
            bottom = min(max(y1 + -(-(i + 1) * rows // size), 0), height)
            left = min(max(x1 + j * columns // size, 0), width)
            right = min(max(x1 + -(-(j + 1) * columns // size), 0), width)
            if top < bottom and left < right:
                pooled[:, i, j] = maps[:, top:bottom, left:right].amax((1, 2))
    return pooled


def bilinear(maps: Tensor, y: float, x: float) -> Tensor:
    height, width = maps.shape[1:]
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = (1 - across) * maps[:, top, left] + across * maps[:, top, right]
    lower = (1 - across) * maps[:, bottom, left] + across * maps[:, bottom, right]
    return (1 - down) * upper + down * lower


def slow_roi_align(maps: Tensor, box: list[float], size: int) -> Tensor:
    x1, y1, x2, y2 = (corner / STRIDE - 0.5 for corner in box)
    pooled = torch.zeros(len(maps), size, size)
    for i in range(2 * size):
        for j in range(2 * size):
            y = y1 + (i + 0.5) * (y2 - y1) / (2 * size)
            x = x1 + (j + 0.5) * (x2 - x1) / (2 * size)
            pooled[:, i // 2, j // 2] += bilinear(maps, y, x) / 4
    return pooled


def some_boxes(height: int, width: int, count: int) -> Tensor:
    """Boxes within an image, among them the whole image, one of a pixel, and one of no area."""
    generator = torch.Generator().manual_seed(1)
    corners = torch.rand(count, 2, 2, generator=generator) * torch.tensor([width, height])
    boxes = torch.cat([corners.amin(1), corners.amax(1)], dim=1)
    edge = [[0, 0, width, height], [40, 40, 41, 41], [width, height, width, height]]
    return torch.cat([boxes, torch.tensor(edge, dtype=torch.float32)])


@pytest.mark.parametrize(("height", "width"), [(13, 21), (30, 7), (1, 1)])
@pytest.mark.parametrize("size", [7, 2])
def test_pooling_is_that_of_the_loops(height: int, width: int, size: int) -> None:
    torch.manual_seed(0)
    maps = torch.randn(3, 4, height, width)
    boxes = some_boxes(height * STRIDE, width * STRIDE, 10)
    images = torch.arange(len(boxes)) % 3
    for fast, slow in ((roi_pool, slow_roi_pool), (roi_align, slow_roi_align)):
        pooled = fast(maps, boxes, images, stride=STRIDE, size=size)
        pairs = zip(images.tolist(), boxes.tolist(), strict=True)
        expected = torch.stack([slow(maps[image], box, size) for image, box in pairs])
        torch.testing.assert_close(pooled, expected, rtol=1e-4, atol=1e-4)


def test_boxes_are_those_of_the_first_image_without_others() -> None:
    maps, boxes = torch.randn(2, 3, 9, 9), some_boxes(144, 144, 5)
    first = torch.zeros(len(boxes), dtype=torch.int64)
    for pool in (roi_pool, roi_align):
        assert torch.equal(pool(maps, boxes, stride=STRIDE), pool(maps[:1], boxes, stride=STRIDE))
        torch.testing.assert_close(
            pool(maps, boxes, stride=STRIDE), pool(maps, boxes, first, stride=STRIDE)
        )


def test_no_box_gives_no_output() -> None:
    for pool in (roi_pool, roi_align):
        pooled = pool(torch.randn(1, 3, 9, 9), torch.zeros(0, 4), stride=STRIDE)
        assert pooled.shape == (0, 3, 7, 7)


def test_the_mean_of_a_slope_is_its_value_at_the_centre_of_the_bin() -> None:
    """A map whose values are x in pixels: no rounding, and no shift by half a position."""
    maps = (STRIDE * (torch.arange(30) + 0.5)).expand(1, 1, 20, 30)
    pooled = roi_align(maps, torch.tensor([[33.0, 40.0, 103.0, 250.0]]), stride=STRIDE)
    torch.testing.assert_close(pooled[0, 0, 0], 33 + 10 * (torch.arange(7) + 0.5))


def test_gradients_reach_the_maximum_alone() -> None:
    maps = torch.zeros(1, 1, 6, 6)
    maps[0, 0, 2, 3] = 1.0
    maps.requires_grad_()
    box = torch.tensor([[0.0, 0.0, 80.0, 80.0]])
    roi_pool(maps, box, stride=STRIDE, size=1).sum().backward()  # type: ignore[no-untyped-call]
    assert maps.grad is not None
    assert maps.grad[0, 0, 2, 3] > 0
    assert maps.grad.count_nonzero() == 1
    aligned = torch.randn(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    box = torch.tensor([[10.0, 5.0, 70.0, 60.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda m: roi_align(m, box, stride=STRIDE, size=2), (aligned,))


class Both(nn.Module):
    def forward(self, maps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        return roi_pool(maps, boxes, stride=STRIDE), roi_align(maps, boxes, stride=STRIDE)


def agree(found: list[np.ndarray], maps: Tensor, boxes: Tensor) -> None:
    for ours, theirs in zip(Both()(maps, boxes), found, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore")  # tracing warns that sizes become constants
def test_openvino_computes_the_same_for_any_number_of_boxes() -> None:
    maps, boxes = torch.randn(1, 8, 20, 30), some_boxes(320, 480, 4)
    model = to_openvino(Both(), (maps, boxes))
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino_core().compile_model(model, "CPU", exact)
    for count in (1, 17):
        other = some_boxes(320, 480, count)
        outputs = compiled([maps.numpy(), other.numpy()])
        agree([outputs[0], outputs[1]], maps, other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_onnx_computes_the_same_for_any_number_of_boxes(tmp_path: Path) -> None:
    maps, boxes = torch.randn(1, 8, 20, 30), some_boxes(320, 480, 4)
    dynamic = {"maps": None, "boxes": {0: torch.export.Dim("boxes", min=1)}}
    file = tmp_path / "roi.onnx"
    torch.onnx.export(
        Both(), (maps, boxes), file, dynamo=True, verbose=False, dynamic_shapes=dynamic
    )
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for count in (1, 17):
        other = some_boxes(320, 480, count)
        feed = dict(zip(("maps", "boxes"), (maps.numpy(), other.numpy()), strict=True))
        agree(session.run(None, feed), maps, other)
