"""Fast R-CNN on VGG-16: a detector that classifies proposed boxes and corrects their corners.

Girshick, "Fast R-CNN", ICCV 2015. A pretrained VGG-16 becomes the detector by three changes
(section 2.2): RoI max pooling replaces the last max pooling, two sibling layers replace the last
fully connected one, and the network takes boxes beside images.

It is not in the catalogue, whose networks map an image alone to logits; it is built from one:
`FastRCNN(zoo.create("vgg16", weights="imagenet"), num_classes=20)`.
"""

import torch
from torch import Tensor, nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import Dense
from eyespot.models.roi import roi_pool

STRIDE = 16
"""Pixels between positions of the last maps, after four max poolings."""


class FastRCNN(nn.Module):
    """Images [N, 3, H, W] and boxes [R, 4] -> logits [R, K + 1] and corrections [R, K, 4].

    Class 0 is the background. `vgg`: a VGG of the zoo (with `STRIDE` before its last pooling),
    whose layers become those of the detector. Boxes: xmin, ymin, xmax, ymax in pixels of the
    image. Corrections: normalised as those of `tasks/detection/box_coding.py`.

    The paper has four outputs for each of the K classes (section 2.1); its program also computes
    four for the background, which nothing reads.
    """

    def __init__(self, vgg: ConvNet, num_classes: int) -> None:
        super().__init__()
        *stages, last = (stage for name, stage in vgg.stages.items() if name.startswith("stage"))
        assert isinstance(last, nn.Sequential)
        self.stages = nn.Sequential(*stages, last[:-1])
        self.fc6, self.fc7 = vgg.stages["fc6"], vgg.stages["fc7"]
        self.classes = nn.Linear(4096, num_classes + 1)
        self.boxes = nn.Linear(4096, 4 * num_classes)
        for layer, deviation in ((self.classes, 0.01), (self.boxes, 0.001)):  # section 2.3
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)

    def forward(
        self, images: Tensor, boxes: Tensor, image_of: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """`image_of`: the image of each box, int64 [R]; None where all are of the first."""
        pooled = roi_pool(self.stages(images), boxes, image_of, stride=STRIDE)
        features = self.fc7(self.fc6(pooled)).flatten(1)
        return self.classes(features), self.boxes(features).unflatten(1, (-1, 4))


def compress(network: FastRCNN, fc6: int = 1024, fc7: int = 256) -> None:
    """Replace fc6 and fc7, in place, by products of these ranks (section 4.4 has the defaults).

    Raises ValueError for a rank that is larger than that of the layer.
    """
    for block, rank in ((network.fc6, fc6), (network.fc7, fc7)):
        assert isinstance(block, nn.Sequential)
        assert isinstance(block[0], nn.Linear)
        block[0] = truncated_svd(block[0], rank)


def truncated_svd(layer: nn.Linear, rank: int) -> nn.Sequential:
    """Two layers that compute about the same as one, with rank (inputs + outputs) weights.

    W = U S V^T with the `rank` largest singular values: S V^T without bias, then U with the bias
    (section 3.1). Raises ValueError for a rank that is larger than a side of W.
    """
    outputs, inputs = layer.weight.shape
    if not 1 <= rank <= min(outputs, inputs):
        raise ValueError(f"rank must be 1 to {min(outputs, inputs):,}, not {rank:,}")
    with torch.no_grad():
        u, s, vt = torch.linalg.svd(layer.weight, full_matrices=False)
        first = Dense(inputs, rank, bias=False).to(layer.weight)
        first.weight.copy_(s[:rank, None] * vt[:rank])
        second = Dense(rank, outputs).to(layer.weight)
        second.weight.copy_(u[:, :rank])
        assert layer.bias is not None
        second.bias.copy_(layer.bias)
    return nn.Sequential(first, second)
