"""A classifier as one torch module, from photos of any size to probabilities.

All formats are converted from it. The classifier itself resizes with Pillow and predicts in numpy;
this module has the same arithmetic in operations of every format.
"""

import math
import warnings
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing
from eyespot.features.engines import columns_of
from eyespot.features.extractor import build_extractor
from eyespot.heads.ood import NEIGHBOURS
from eyespot.heads.torch_scorers import array, scorer_module, signed_roots
from eyespot.tasks.classification.classifier import Classifier

OUTPUTS = ("probabilities", "ood_score", "unknown")
AXES = ("batch", "height", "width")
LARGEST_SIDE = 65_535
"""Bound of height and width in pixels, and of the batch size."""


class ClassifierModule(nn.Module):
    """Photos of one size, uint8 RGB [N, H, W, 3], to `OUTPUTS`.

    `probabilities`: float32 [N, K]. `ood_score`: float32 [N], 0 to 2, higher for photos less like
    the training photos; NaN without an OOD scorer. `unknown`: bool [N], whether the score is above
    the threshold: the photo is rejected as "none of these".
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.preprocessing = classifier.backbone.preprocessing
        needed = {*classifier.recipe.blocks, classifier.backbone.last}
        blocks = tuple(block for block in classifier.backbone.blocks if block in needed)
        self.extractor, widths = build_extractor(replace(classifier.backbone, blocks=blocks))
        columns = columns_of(widths)
        self.seen_by_head = [columns[block] for block in classifier.recipe.blocks]
        self.last = columns[classifier.backbone.last]
        self.head = scorer_module(classifier.scorer)
        ood_scorer = classifier.ood_scorer
        self.references = None if ood_scorer is None else array(ood_scorer.references)
        self.temperature = classifier.temperature
        self.ood_threshold = classifier.ood_threshold
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = signed_roots(self.extractor(resized(image, self.preprocessing)))
        scores = self.head(torch.cat([features[:, part] for part in self.seen_by_head], 1))
        ood_score = self._ood_score(features[:, self.last])
        probabilities = (scores / self.temperature).softmax(1)
        return probabilities, ood_score, ood_score > self.ood_threshold

    def _ood_score(self, last: Tensor) -> Tensor:
        """`heads.ood.OodScorer`: [N, d] -> [N]."""
        if self.references is None:
            return last[:, 0] * math.nan
        similarity = F.normalize(last) @ self.references.T
        return 1 - similarity.topk(min(NEIGHBOURS, len(self.references))).values.mean(1)


def program_of(module: ClassifierModule) -> torch.export.ExportedProgram:
    """The module as a graph, for any number of photos of any size."""
    sides = [torch.export.Dim(name, min=1, max=LARGEST_SIDE) for name in AXES]
    example = torch.zeros(2, 300, 400, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about future changes in torch
        program = torch.export.export(
            module, (example,), dynamic_shapes={"image": dict(enumerate(sides))}
        )
    for node in program.graph.nodes:  # paths of source files on this machine
        node.meta.pop("stack_trace", None)
    return program


def resized(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """`data.transforms.prepare`: uint8 RGB [N, H, W, 3] -> integers, float32 [N, size, size, 3].

    Resizing is linear: a matrix product from the left and one from the right. Like `prepare`, it
    resizes rows first and rounds in between. For photos much taller than wide, `prepare` resizes
    columns first, so a pixel may differ by one. (The resize operations of the formats differ, and
    none takes a crop between pixels.)
    """
    height, width = (torch.scalar_tensor(side, dtype=torch.float32) for side in image.shape[1:3])
    high, wide = height, width
    if preprocessing.fit == "crop":
        high = wide = torch.minimum(height, width) * preprocessing.crop_fraction
    size = preprocessing.size
    across = _cubic(image.shape[2], (width - wide) / 2, wide / size, size)
    down = _cubic(image.shape[1], (height - high) / 2, high / size, size)
    x = _rounded(image.permute(0, 3, 1, 2).float() @ across.T)
    return _rounded(down @ x).permute(0, 2, 3, 1)


def _cubic(count: int, start: Tensor, step: Tensor, size: int) -> Tensor:
    """Weights [size, count] of `count` pixels of a line for each of `size` new pixels.

    A new pixel is `step` old pixels wide; the first begins at `start`. Cubic convolution with
    a = -1/2 (Keys, "Cubic convolution interpolation for digital image processing", 1981, equation
    4), stretched over the old pixels of a new one.
    """
    centres = start + (torch.arange(size) + 0.5) * step
    x = (torch.arange(count) + 0.5 - centres[:, None]).abs() / step.clamp(min=1)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    return weights / weights.sum(1, keepdim=True)


def _rounded(pixels: Tensor) -> Tensor:
    return (pixels + 0.5).floor().clamp(0, 255)
