"""Fine-tune the stages of a backbone whose maps a dense head reads, together with the head.

The head is trained on frozen maps before: gradients of a random head would spoil pretrained stages
(Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution",
ICLR 2022, section 3). The stages before the first map stay frozen. Batch norm keeps its means and
deviations, since those of a few photos are noise.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.features.backbone import Backbone
from eyespot.features.dense import maps_module
from eyespot.tasks.detection.augment import View, random_view
from eyespot.tasks.detection.embed import Embedded
from eyespot.tasks.detection.fit import Truth, mean_loss, optimise, store, truth_of
from eyespot.tasks.detection.frame import frame_of
from eyespot.tasks.detection.method import TUNED_STEP, Plan, Trained
from eyespot.training.precision import autocast, fastest, keep_depthwise_exact

RATE, HEAD_RATE = 3e-4, 1e-3
CPU = torch.device("cpu")


def fine_tune(
    head: nn.Module,
    photos: Sequence[Embedded],
    backbone: Backbone,
    plan: Plan,
    progress: Callable[[int], None],
) -> Trained:
    """The head and its backbone, trained on random views of the photos; see `method.Method.fit`.

    Raises PhotoError if a photo cannot be read any more.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    network, precision = maps_module(backbone), fastest(CPU)
    for stage in _trained(network.get_submodule("extractor.network.stages"), backbone):
        stage.requires_grad_(True)
    head.requires_grad_(True)
    fill = tuple(round(value) for value in backbone.preprocessing.mean)

    def loss(batch: list[Embedded]) -> Tensor:
        views = [_view(photo, random, fill) for photo in batch]
        with autocast(precision, CPU):
            found = [(head(network(pixels)), truths) for pixels, truths in _by_size(views)]
        return mean_loss(found)

    for module in (network, head):
        store(module, torch.channels_last)
        keep_depthwise_exact(module)
    modules = [(network, RATE), (head, HEAD_RATE)]
    optimise(modules, [[one] for one in photos], plan, plan.tuned, loss, partial(_told, progress))
    for module in (network, head):
        store(module, torch.contiguous_format)
    return Trained(head, network)


def _told(progress: Callable[[int], None], steps: int) -> None:
    progress(TUNED_STEP * steps)


def _trained(stages: nn.Module, backbone: Backbone) -> Sequence[nn.Module]:
    """Those from the first map of the backbone to its last."""
    by_name = dict(stages.named_children())
    names = list(by_name)
    first, last = (names.index(backbone.blocks[one].removesuffix(".map")) for one in (0, -1))
    return list(by_name.values())[first : last + 1]


def _view(photo: Embedded, random: np.random.Generator, fill: tuple[int, ...]) -> View:
    """A random view of the photo's input."""
    example = photo.views[0]
    frame = frame_of(photo.photo.photo.read())
    whole = View(frame.pixels, example.boxes, example.labels, example.ignored)
    return random_view(whole, random, fill)


def _by_size(views: Sequence[View]) -> Iterator[tuple[Tensor, list[Truth]]]:
    """The views of each size: pixels uint8 [n, H, W, 3], and the boxes, labels and ignored boxes of
    each."""
    for shape in {view.pixels.shape for view in views}:
        alike = [view for view in views if view.pixels.shape == shape]
        pixels = torch.from_numpy(np.stack([view.pixels for view in alike]))
        yield pixels, [truth_of(view) for view in alike]
