"""A classifier as one torch module, from photos of any size to the answers.

Everything that is exported is made from it. The classifier itself resizes with Pillow and judges in
numpy; this is the same arithmetic in operations that every format has.
"""

import math
import warnings
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing
from eyespot.features.engines import columns_of
from eyespot.features.extractor import build_extractor
from eyespot.heads.ood import NEIGHBOURS, Familiarity
from eyespot.heads.scorers import (
    NEIGHBOUR_TEMPERATURE,
    LinearScorer,
    LogitsScorer,
    NeighboursScorer,
    Scorer,
)
from eyespot.tasks.classification.classifier import Classifier

OUTPUTS = ("probabilities", "familiarity", "unknown")
AXES = ("batch", "height", "width")
LARGEST_SIDE = 65_535
"""Of a photo, in pixels, where formats end; and photos of a batch."""


class Answers(nn.Module):
    """Photos of one size, uint8 RGB [N, H, W, 3], to `OUTPUTS`.

    `probabilities`: float32 [N, K]. `familiarity`: float32 [N], how much each looks like any photo
    that was taught, -1 to 1; NaN if that was not learnt. `unknown`: bool [N], whether that is below
    the threshold: "none of these".
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
        self.head = _head(classifier.scorer)
        self.familiarity = _Familiar(classifier.familiarity)
        self.temperature, self.threshold = classifier.temperature, classifier.threshold
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = _roots(self.extractor(resized(image, self.preprocessing)))
        scores = self.head(torch.cat([features[:, part] for part in self.seen_by_head], 1))
        familiarity = self.familiarity(features[:, self.last])
        probabilities = (scores / self.temperature).softmax(1)
        return probabilities, familiarity, familiarity < self.threshold


def program_of(answers: Answers) -> torch.export.ExportedProgram:
    """The same as a graph, for any number of photos of any size."""
    sides = [torch.export.Dim(name, min=1, max=LARGEST_SIDE) for name in AXES]
    example = torch.zeros(2, 300, 400, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what torch itself will change
        program = torch.export.export(
            answers, (example,), dynamic_shapes={"image": dict(enumerate(sides))}
        )
    for node in program.graph.nodes:  # it names files of this machine
        node.meta.pop("stack_trace", None)
    return program


def resized(image: Tensor, preprocessing: Preprocessing) -> Tensor:
    """`data.transforms.prepare`: uint8 RGB [N, H, W, 3] -> whole numbers float32
    [N, size, size, 3].

    Resizing is linear, so that it is a product with a matrix from the left and one from the right.
    Like `prepare`, it goes by rows first and rounds in between; of photos far taller than wide
    `prepare` goes by columns first, so that a pixel may differ by one. (Formats' own operations
    for resizing differ from each other, and none takes a crop between pixels.)
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
    """What each of `count` pixels of a line adds to each of `size` new ones, [size, count].

    The new pixels are `step` old ones wide, from `start` on. Cubic convolution with a = -1/2
    (Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4),
    stretched over what becomes one pixel.
    """
    centres = start + (torch.arange(size) + 0.5) * step
    x = (torch.arange(count) + 0.5 - centres[:, None]).abs() / step.clamp(min=1)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    return weights / weights.sum(1, keepdim=True)


def _rounded(pixels: Tensor) -> Tensor:
    return (pixels + 0.5).floor().clamp(0, 255)


def _roots(x: Tensor) -> Tensor:
    return x.sign() * x.abs().sqrt()


def _array(values: Any) -> nn.Buffer:
    return nn.Buffer(torch.from_numpy(values.copy()))


def _head(scorer: Scorer) -> nn.Module:
    """What maps the roots of features [N, d] to scores [N, K]."""
    if isinstance(scorer, LinearScorer):
        return _Linear(scorer)
    if isinstance(scorer, NeighboursScorer):
        return _Neighbours(scorer)
    if isinstance(scorer, LogitsScorer):
        return _Logits()
    raise TypeError(f"a head of the kind {scorer.kind!r} has no form in torch yet")


class _Linear(nn.Module):
    def __init__(self, scorer: LinearScorer) -> None:
        super().__init__()
        self.weights, self.bias = _array(scorer.weights), _array(scorer.bias)

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.weights + self.bias


class _Logits(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features * features.abs()


class _Neighbours(nn.Module):
    def __init__(self, scorer: NeighboursScorer) -> None:
        super().__init__()
        self.mean, self.scale = _array(scorer.mean), _array(scorer.scale)
        self.references, self.labels = _array(scorer.references), _array(scorer.labels)
        self.k, self.classes = min(scorer.k, len(scorer.references)), scorer.classes

    def forward(self, features: Tensor) -> Tensor:
        query = F.normalize((features - self.mean) * self.scale)
        closeness, nearest = (query @ self.references.T).topk(self.k)
        votes = ((closeness - 1) / NEIGHBOUR_TEMPERATURE).exp()
        votes_for = (self.labels[nearest][:, :, None] == torch.arange(self.classes)).float()
        # Added, as the scorer does, so small a number would be optimised away on the way to ONNX.
        nobody = math.exp(-2 / NEIGHBOUR_TEMPERATURE)
        return (votes[:, None] @ votes_for)[:, 0].clamp(min=nobody).log()


class _Familiar(nn.Module):
    """`heads.familiarity.Familiarity`: [N, d] -> [N]."""

    def __init__(self, familiarity: Familiarity | None) -> None:
        super().__init__()
        self.references = None if familiarity is None else _array(familiarity.references)

    def forward(self, last: Tensor) -> Tensor:
        if self.references is None:
            return last[:, 0] * math.nan
        similarity = F.normalize(last) @ self.references.T
        return similarity.topk(min(NEIGHBOURS, len(self.references))).values.mean(1)
