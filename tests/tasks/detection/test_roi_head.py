"""Coding, sampling, losses, RoIAlign and suppression together: a head of Fast R-CNN on maps."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from eyespot.models.roi import roi_align
from eyespot.tasks.detection.box_coding import Normalisation, clip, decode, encode, iou
from eyespot.tasks.detection.losses import multi_task
from eyespot.tasks.detection.nms import nms
from eyespot.tasks.detection.sampling import FAST_RCNN, FOREGROUND, draw, match

RULE = replace(FAST_RCNN, background=(0.0, 0.5))  # also easy background: there is little other
STRIDE, HEIGHT, WIDTH = 8, 12, 20
OBJECTS = torch.tensor([[16.0, 24.0, 72.0, 72.0], [96.0, 16.0, 136.0, 64.0]])
CLASSES = torch.tensor([1, 2])


def maps() -> Tensor:
    """A map for each class, 1 where its object is."""
    drawn = torch.zeros(1, 2, HEIGHT, WIDTH)
    for number, box in enumerate((OBJECTS / STRIDE).int().tolist()):
        left, top, right, bottom = box
        drawn[0, number, top:bottom, left:right] = 1
    return drawn


def proposed(count: int, seed: int) -> Tensor:
    """Boxes near the objects, and anywhere."""
    generator = torch.Generator().manual_seed(seed)
    near = OBJECTS.repeat(count, 1) + 10 * torch.randn(2 * count, 4, generator=generator)
    low = torch.rand(count, 2, generator=generator) * torch.tensor([110.0, 50.0])
    sides = 20 + 30 * torch.rand(count, 2, generator=generator)
    return clip(torch.cat([near, torch.cat([low, low + sides], dim=1)]), 96, 160)


class Head(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * 7 * 7, 64)
        self.classes, self.corrections = nn.Linear(64, 3), nn.Linear(64, 2 * 4)

    def forward(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(roi_align(maps(), boxes, stride=STRIDE).flatten(1)).relu()
        return self.classes(hidden), self.corrections(hidden).unflatten(1, (2, 4))


def trained(steps: int = 150) -> tuple[Head, Normalisation]:
    torch.manual_seed(0)
    head, generator = Head(), torch.Generator().manual_seed(0)
    boxes = proposed(60, seed=1)
    matches = match(boxes, OBJECTS, torch.zeros(2, dtype=torch.bool), RULE)
    foreground = matches.kind == FOREGROUND
    corrections = encode(OBJECTS[matches.truth], boxes)
    normalisation = Normalisation.of(corrections[foreground])
    classes = torch.where(foreground, CLASSES[matches.truth], 0)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(steps):
        rois = draw(matches, RULE, generator)
        targets = normalisation.apply(corrections[rois])
        logits, corrected = head(boxes[rois])
        loss = multi_task(logits, corrected, classes[rois], targets)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return head, normalisation


def test_the_best_two_are_the_objects_placed_better_than_proposed() -> None:
    head, normalisation = trained()
    boxes = proposed(40, seed=2)
    with torch.inference_mode():
        logits, targets = head(boxes)
        scores, labels = logits.softmax(1).max(1)
        own = targets[torch.arange(len(boxes)), (labels - 1).clamp(min=0)]
        placed = decode(normalisation.invert(own), boxes)
    found = (labels > 0) & (scores > 0.5)
    kept = nms(placed[found].numpy(), scores[found].numpy(), labels[found].numpy(), overlap=0.3)
    assert sorted(labels[found][kept[:2]].tolist()) == [1, 2]
    before, after = (iou(one[found], OBJECTS).amax(1).mean() for one in (boxes, placed))
    assert after > before + 0.1
    assert iou(placed[found][kept[:2]], OBJECTS).amax(1).min() > 0.7
