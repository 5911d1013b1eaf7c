import math

import pytest
import torch
from torch import Tensor

from eyespot.tasks.detection.box_coding import clip, decode, encode, iou
from eyespot.tasks.detection.nms import nms
from eyespot.tasks.detection.rpn import RegionProposals, anchor_shapes, proposals, rpn_loss

SHAPES = torch.tensor([[16.0, 16.0], [64.0, 32.0]])
SIZE = (96, 160)
GRID = 12, 20, 2
OBJECTS = torch.tensor([[20.0, 20.0, 80.0, 55.0], [100.0, 50.0, 118.0, 66.0]])
NONE_IGNORED = torch.zeros(2, dtype=torch.bool)


def network() -> RegionProposals:
    torch.manual_seed(0)
    return RegionProposals(channels=6, shapes=SHAPES, stride=8, hidden=16)


def test_shapes_and_parameters() -> None:
    logits, corrections = network()(torch.randn(2, 6, 12, 20))
    assert logits.shape == (2, 12 * 20 * 2)
    assert corrections.shape == (2, 12 * 20 * 2, 4)
    # Section 3.1.1: on VGG-16's 512 maps with k = 9 and 512 hidden maps, 512 x (4 + 1) x 9
    # weights and biases of the outputs; the paper has two logits for each anchor.
    paper = RegionProposals(512, torch.ones(9, 2), 16, hidden=512)
    outputs = (paper.objectness, paper.corrections)
    count = sum(parameter.numel() for layer in outputs for parameter in layer.parameters())
    assert count == (512 + 1) * (1 + 4) * 9


def test_anchors_stand_where_their_outputs_are() -> None:
    anchors = network().anchors(12, 20)
    assert anchors.shape == (480, 4)
    index = (3 * 20 + 5) * 2 + 1  # row 3, column 5, second shape: the centre is at 44, 28
    assert anchors[index].tolist() == [44 - 32, 28 - 16, 44 + 32, 28 + 16]


def test_an_output_belongs_to_its_anchor() -> None:
    """A weight of one anchor's correction changes that anchor alone, at every position."""
    model = network()
    maps = torch.randn(1, 6, 12, 20)
    _, before = model(maps)
    assert model.corrections.bias is not None
    with torch.no_grad():
        model.corrections.bias[4 + 2] += 1  # the second shape's width
    changed = (model(maps)[1] - before)[0].reshape(12 * 20, 2, 4)
    assert torch.allclose(changed[:, 1, 2], torch.ones(240), atol=1e-5)
    assert not changed[:, 0].any()


def test_shapes_of_a_training_set() -> None:
    small, large = torch.tensor([0.0, 0.0, 10.0, 20.0]), torch.tensor([5.0, 5.0, 205.0, 105.0])
    boxes = torch.stack([small, large, small + 7, large + 1])
    expected = torch.tensor([[10.0, 20.0], [200.0, 100.0]])
    torch.testing.assert_close(anchor_shapes(boxes, count=9), expected)
    assert anchor_shapes(boxes, count=1)[0].tolist() == pytest.approx(
        [math.sqrt(10 * 200), math.sqrt(20 * 100)]
    )
    with pytest.raises(ValueError, match="at least one box"):
        anchor_shapes(torch.zeros(0, 4))


def perfect(anchors: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs that know each object: the nearest anchors are sure, and corrected to it."""
    best, truth = iou(anchors, OBJECTS).max(1)
    return torch.where(best > 0.3, 9.0, -9.0), encode(OBJECTS[truth], anchors)


def test_perfect_outputs_have_no_loss_and_propose_the_objects() -> None:
    anchors = network().anchors(12, 20)
    logits, corrections = perfect(anchors)
    loss = rpn_loss(logits, corrections, anchors, OBJECTS, NONE_IGNORED, SIZE, seeded())
    assert loss < 0.01
    wrong = rpn_loss(-logits, corrections, anchors, OBJECTS, NONE_IGNORED, SIZE, seeded())
    assert wrong > 1
    boxes, scores = proposals(logits, corrections, anchors, GRID, 8, most=200)
    assert scores[:2].min() > 0.99
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert iou(OBJECTS, boxes[:2]).amax(1).min() > 0.999
    assert len(proposals(logits, corrections, anchors, GRID, 8, most=1)[0]) == 1


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_proposals_are_within_the_image() -> None:
    anchors = network().anchors(12, 20)
    boxes, scores = proposals(torch.randn(480), torch.randn(480, 4), anchors, GRID, 8, most=200)
    assert len(boxes) == len(scores) == 200
    assert not boxes[scores == 0].any()
    boxes = boxes[scores > 0]
    assert boxes.min() >= 0
    assert (boxes[:, 2:] <= torch.tensor([160, 96])).all()
    assert ((boxes[:, 2:] - boxes[:, :2]) >= 2).all()


def test_no_objects_and_no_anchors_within_the_image() -> None:
    model = network()
    logits, corrections = (output[0] for output in model(torch.randn(1, 6, 12, 20)))
    anchors = model.anchors(12, 20)
    nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.bool)
    background = rpn_loss(logits, corrections, anchors, *nothing, SIZE, seeded())
    assert background.item() == pytest.approx(math.log(2), rel=0.05)
    none = rpn_loss(logits, corrections, anchors, OBJECTS, NONE_IGNORED, (4, 4), seeded())
    none.backward()  # type: ignore[no-untyped-call]
    assert none == 0


def test_it_learns_to_propose() -> None:
    """Maps with a mark at each object's centre: after training, both objects are proposed."""
    model = network()
    maps = torch.zeros(1, 6, 12, 20)
    for number, (x, y) in enumerate(((OBJECTS[:, :2] + OBJECTS[:, 2:]) / 16).long().tolist()):
        maps[0, number, y, x] = 5.0
    anchors = model.anchors(12, 20)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    generator = seeded()
    for _ in range(60):
        logits, corrections = (output[0] for output in model(maps))
        loss = rpn_loss(logits, corrections, anchors, OBJECTS, NONE_IGNORED, SIZE, generator)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.inference_mode():
        logits, corrections = (output[0] for output in model(maps))
        boxes, _ = proposals(logits, corrections, anchors, GRID, 8, most=5)
    assert iou(OBJECTS, boxes).amax(1).min() > 0.7


def test_the_suppression_is_the_usual_one() -> None:
    generator = torch.Generator().manual_seed(3)
    anchors = network().anchors(12, 20)
    logits = torch.randn(480, generator=generator)
    corrections = 0.3 * torch.randn(480, 4, generator=generator)
    boxes, scores = proposals(logits, corrections, anchors, GRID, 8, most=200)
    boxes, scores = boxes[scores > 0], scores[scores > 0]
    assert iou(boxes, boxes).triu(1).max() <= 0.7
    planes = logits.reshape(12, 20, 2).permute(2, 0, 1)
    around = torch.nn.functional.max_pool2d(planes[None], 3, 1, 1)[0]
    index = (planes == around).permute(1, 2, 0).flatten().nonzero()[:, 0]
    every = clip(decode(corrections[index], anchors[index]), *SIZE)
    large = ((every[:, 2:] - every[:, :2]) >= 2).all(1)
    expected = nms(every[large].numpy(), logits[index[large]].numpy(), overlap=0.7)
    torch.testing.assert_close(boxes, every[large][torch.from_numpy(expected)])
