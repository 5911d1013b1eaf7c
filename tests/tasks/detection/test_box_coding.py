import math

import pytest
import torch
from torch import Tensor

from eyespot.tasks.detection.box_coding import (
    Normalisation,
    centreness,
    clip,
    decode,
    decode_distances,
    encode,
    encode_distances,
    iou,
)


def random_boxes(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(count, 2, generator=generator) * 100
    return torch.cat([low, low + 1 + 50 * torch.rand(count, 2, generator=generator)], dim=1)


def test_corrections_by_hand() -> None:
    """Appendix C: the centre moves by parts of the reference's size, sizes are logarithms."""
    reference = torch.tensor([[10.0, 20.0, 30.0, 60.0]])  # centre 20, 40; 20 x 40
    box = torch.tensor([[20.0, 20.0, 60.0, 40.0]])  # centre 40, 30; 40 x 20
    expected = [[1.0, -0.25, math.log(2), -math.log(2)]]
    torch.testing.assert_close(encode(box, reference), torch.tensor(expected))


def test_coding_there_and_back() -> None:
    boxes, references = random_boxes(50), random_boxes(50, seed=1)
    torch.testing.assert_close(decode(encode(boxes, references), references), boxes)
    # A reference for each row, and a correction for each of two classes.
    both = decode(torch.zeros(50, 2, 4), references[:, None])
    torch.testing.assert_close(both, references[:, None].expand(50, 2, 4))
    points = 200 * torch.rand(50, 2)
    torch.testing.assert_close(decode_distances(encode_distances(boxes, points), points), boxes)


def test_a_wild_correction_gives_a_finite_box() -> None:
    box = decode(torch.tensor([[0.0, 0.0, 1e4, -1e4]]), torch.tensor([[0.0, 0.0, 16.0, 16.0]]))
    assert torch.isfinite(box).all()
    assert box[0, 2] - box[0, 0] == pytest.approx(1000)


def test_centreness_by_hand() -> None:
    distances = torch.tensor([[5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 4.0, 8.0], [0.0, 2.0, 4.0, 8.0]])
    expected = torch.tensor([1.0, math.sqrt(1 / 4 * 2 / 8), 0.0])
    torch.testing.assert_close(centreness(distances), expected)


def test_clipping() -> None:
    boxes = torch.tensor([[-5.0, 3.0, 120.0, 90.0]])
    assert clip(boxes, height=50, width=100).tolist() == [[0, 3, 100, 50]]


def test_iou_by_counting_pixels() -> None:
    a = torch.tensor([[0.0, 0.0, 4.0, 4.0], [2.0, 1.0, 6.0, 5.0]])
    b = torch.tensor([[0.0, 0.0, 4.0, 4.0], [5.0, 5.0, 7.0, 9.0], [3.0, 3.0, 3.0, 3.0]])

    def pixels(box: Tensor) -> set[tuple[int, int]]:
        left, top, right, bottom = (int(corner) for corner in box)
        return {(x, y) for x in range(left, right) for y in range(top, bottom)}

    for row, one in zip(iou(a, b), a, strict=True):
        for found, other in zip(row, b, strict=True):
            shared, union = pixels(one) & pixels(other), pixels(one) | pixels(other)
            assert found == pytest.approx(len(shared) / len(union))
    empty = torch.zeros(1, 4)
    assert iou(empty, empty).tolist() == [[0.0]]
    assert iou(a, torch.zeros(0, 4)).shape == (2, 0)


def test_normalised_targets_have_zero_mean_and_unit_variance() -> None:
    corrections = encode(random_boxes(200), random_boxes(200, seed=1))
    normalisation = Normalisation.of(corrections)
    targets = normalisation.apply(corrections)
    torch.testing.assert_close(targets.mean(0), torch.zeros(4), rtol=0, atol=1e-5)
    torch.testing.assert_close(targets.var(0, correction=0), torch.ones(4))
    torch.testing.assert_close(normalisation.invert(targets), corrections)
    for few in (corrections[:0], corrections[:1], corrections[:1].repeat(3, 1)):
        assert torch.isfinite(Normalisation.of(few).apply(corrections)).all()
