"""Region proposal network: which anchors hold an object of any class, and where.

Ren, He, Girshick and Sun, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal
Networks", NIPS 2015, section 3.1. It runs on given maps, such as those of a frozen backbone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.tasks.detection.box_coding import decode, encode, iou
from eyespot.tasks.detection.losses import smooth_l1
from eyespot.tasks.detection.sampling import FOREGROUND, RPN, draw, match

BEFORE_NMS = 100
"""Proposals of each shape of anchors, by score, that non-maximum suppression looks at."""
ROUNDS = 6
"""Of the suppression."""
OVERLAP = 0.7
"""Intersection over union above which the proposal with the lower score is dropped."""
NEVER = -100.0
"""Logit of an anchor that does not exist."""
LEAST_SIDE = 2.0
"""Pixels of the shorter side of a proposal."""


class RegionProposals(nn.Module):
    """Maps [N, C, H, W] -> logits [N, A] and corrections [N, A, 4] of A = H * W * k anchors.

    A 3 x 3 convolution, then two 1 x 1 ones: a logit (is there an object?) and four corrections
    for each of k anchors at a position. `shapes`: float32 [k, 2], width and height of the anchors
    in pixels. `stride`: pixels between positions of the maps.
    """

    shapes: Tensor

    def __init__(self, channels: int, shapes: Tensor, stride: int, hidden: int = 256) -> None:
        super().__init__()
        self.stride = stride
        self.register_buffer("shapes", shapes)
        self.hidden = nn.Conv2d(channels, hidden, 3, padding=1)
        self.objectness = nn.Conv2d(hidden, len(shapes), 1)
        self.corrections = nn.Conv2d(hidden, 4 * len(shapes), 1)
        for layer in (self.hidden, self.objectness, self.corrections):  # section 3.1.3
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.relu(self.hidden(maps))
        logits = self.objectness(hidden).permute(0, 2, 3, 1).flatten(1)
        corrections = self.corrections(hidden).permute(0, 2, 3, 1)
        return logits, corrections.reshape(len(maps), -1, 4)

    def anchors(self, height: int, width: int) -> Tensor:
        """The anchors of maps of this size, float32 [A, 4] in pixels, in the order of the outputs:
        rows, columns, shapes."""
        x = self.stride * (torch.arange(width, device=self.shapes.device) + 0.5)
        y = self.stride * (torch.arange(height, device=self.shapes.device) + 0.5)
        down, across = torch.meshgrid(y, x, indexing="ij")
        centres = torch.stack([across, down], dim=-1)[:, :, None]
        half = self.shapes / 2
        return torch.cat([centres - half, centres + half], dim=-1).reshape(-1, 4)


def anchor_shapes(boxes: Tensor, count: int = 9) -> Tensor:
    """`count` shapes (width, height) for the boxes [n, 4] of a training set: float32 [k, 2].

    k-means of log width and log height, in which the same distance is the same overlap for small
    and large boxes; Redmon and Farhadi, CVPR 2017, section 2, cluster by overlap itself. Fewer
    shapes where fewer differ. Raises ValueError without boxes.
    """
    from sklearn.cluster import KMeans

    if not len(boxes):
        raise ValueError("anchors need at least one box")
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1).double().log()
    most = min(count, len(set(map(tuple, sides.tolist()))))
    centres = KMeans(most, n_init=4, random_state=0).fit(sides.numpy()).cluster_centers_
    shapes = torch.from_numpy(centres).exp().float()
    return shapes[shapes.prod(1).argsort()]


def rpn_loss(
    logits: Tensor,
    corrections: Tensor,
    anchors: Tensor,
    boxes: Tensor,
    ignored: Tensor,
    size: tuple[int, int],
    generator: torch.Generator,
) -> Tensor:
    """Of one image: logits [A], corrections [A, 4] and anchors [A, 4] against boxes [m, 4].

    `ignored`: bool [m]. `size`: height and width of the image in pixels; anchors across its sides
    are not used (section 3.1.3). Both terms are means over the sampled anchors: the paper's lambda
    of 10 over 2,400 positions is nearly the same.
    """
    height, width = size
    limit = anchors.new_tensor([width, height])
    inside = ((anchors[:, :2] >= 0) & (anchors[:, 2:] <= limit)).all(1).nonzero()[:, 0]
    matches = match(anchors[inside], boxes, ignored, RPN)
    chosen = draw(matches, RPN, generator)
    if not len(chosen):
        return 0 * (logits.sum() + corrections.sum())  # with gradients, of 0
    sampled = inside[chosen]
    is_object = matches.kind[chosen] == FOREGROUND
    loss = F.binary_cross_entropy_with_logits(logits[sampled], is_object.to(logits.dtype))
    foreground = sampled[is_object]
    targets = encode(boxes[matches.truth[chosen[is_object]]], anchors[foreground])
    return loss + smooth_l1(corrections[foreground] - targets).sum() / len(sampled)


def proposals(
    logits: Tensor,
    corrections: Tensor,
    anchors: Tensor,
    grid: tuple[int, int, int],
    stride: int,
    most: int = 300,
) -> tuple[Tensor, Tensor]:
    """The best boxes [most, 4] of one image, with scores [most] (0..1, the highest first); empty
    boxes of score 0 fill the places that are left.

    `grid`: rows, columns and shapes of the anchors, `stride`: pixels between them. Each shape has
    as many candidates, so that small objects are among them, and these are its local maxima, as in
    Zhou, Wang and Kraehenbuehl, "Objects as Points", 2019, section 3. Boxes are cut off at the
    sides of the image. All steps are arrays of fixed sizes, which OpenVINO runs.
    """
    height, width, shapes = grid
    planes = logits.reshape(1, height, width, shapes).permute(0, 3, 1, 2)
    peaks = torch.where(planes == F.max_pool2d(planes, 3, 1, 1), planes, NEVER)
    pad = (0, 0, 0, BEFORE_NMS)  # for fewer positions than candidates
    logits = F.pad(peaks[0].flatten(1).T, pad, value=NEVER)
    best, position = logits.topk(BEFORE_NMS, dim=0)
    index = (position * shapes + torch.arange(shapes, device=logits.device)).flatten()
    best, order = best.flatten().sort(descending=True)
    index = index[order]
    pad = (0, 0, 0, BEFORE_NMS * shapes)
    boxes = decode(F.pad(corrections, pad)[index], F.pad(anchors, pad)[index]).clamp(min=0)
    sides = stride * torch.stack([torch.as_tensor(width), torch.as_tensor(height)]).to(boxes)
    boxes = torch.minimum(boxes, sides.repeat(2))
    large = ((boxes[:, 2:] - boxes[:, :2]) >= LEAST_SIDE).all(1)
    scores = best.sigmoid() * (large & _kept(boxes))
    scores, order = scores.topk(most)
    return boxes[order] * (scores > 0)[:, None], scores


def _kept(boxes: Tensor) -> Tensor:
    """Non-maximum suppression of boxes [n, 4], the best first, as products of matrices: bool [n].

    Each round, boxes suppress lower ones if no kept one suppressed them in the round before (Zheng
    et al., "Enhancing Geometric Factors in Model Learning and Inference for Object Detection and
    Instance Segmentation", 2020, section 3.3: after enough rounds, the usual suppression).
    """
    near = ((iou(boxes, boxes) > OVERLAP).to(boxes.dtype)).triu(1)
    kept = torch.ones_like(boxes[:, 0])
    for _ in range(ROUNDS):
        kept = (kept @ near < 0.5).to(boxes.dtype)
    return kept > 0.5
