"""Fit a dense head on frozen maps: AdamW, one cycle of the learning rate, averaged weights."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.tasks.detection.augment import View
from eyespot.tasks.detection.dense_head import BOX_WEIGHT, DenseHead, dense_loss
from eyespot.tasks.detection.embed import Example
from eyespot.tasks.detection.method import Plan

RATE = 5e-3
WARM = 0.2
"""Share of the steps in which the learning rate rises (Smith and Topin 2018)."""
DECAY = 0.05
LARGEST_GRADIENT = 5.0
SLOWEST = 0.99
"""Decay of the averaged weights; the first steps average fewer (Tarvainen and Valpola 2017)."""
Truth = tuple[Tensor, Tensor, Tensor]
Item = TypeVar("Item")


def fit_head(
    photos: Sequence[Sequence[Example]],
    channels: Sequence[int],
    classes: int,
    plan: Plan,
    progress: Callable[[int], None] = lambda done: None,
) -> DenseHead:
    """A dense head trained on the photos; see `method.Method.fit`."""
    torch.manual_seed(plan.seed)
    mean, deviation = statistics(photos, len(channels))
    head = DenseHead(channels, classes, plan.width, mean, deviation)

    def loss(batch: list[Example]) -> Tensor:
        return mean_loss((head(maps), truths) for maps, truths in tensors_by_size(batch))

    store(head, torch.channels_last)  # in which depthwise convolutions are faster
    optimise([(head, RATE)], photos, plan, plan.steps, loss, progress)
    store(head, torch.contiguous_format)
    return head


def optimise(
    modules: Sequence[tuple[nn.Module, float]],
    photos: Sequence[Sequence[Item]],
    plan: Plan,
    steps: int,
    loss: Callable[[list[Item]], Tensor],
    progress: Callable[[int], None],
) -> None:
    """Train the parameters of modules that need gradients, in place.

    `modules`: each with its largest learning rate. `photos`: the views of each. `loss`: of a batch.
    """
    groups = [group for module, rate in modules for group in _groups(module, rate)]
    parameters = [one for group in groups for one in group["params"]]
    average = [one.detach().clone() for one in parameters]
    optimiser = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [group["lr"] for group in groups], total_steps=steps, pct_start=WARM
    )
    for step, batch in enumerate(_batches(photos, plan, steps)):
        optimiser.zero_grad()
        loss(batch).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
        decay = min(SLOWEST, (2 + step) / (11 + step))
        with torch.no_grad():
            for kept, parameter in zip(average, parameters, strict=True):
                kept.lerp_(parameter, 1 - decay)
        progress(1)
    with torch.no_grad():
        for kept, parameter in zip(average, parameters, strict=True):
            parameter.copy_(kept)
    for module, _ in modules:
        module.eval().requires_grad_(False)


def _groups(module: nn.Module, rate: float) -> list[dict[str, Any]]:
    """For an optimiser: weight decay for matrices and filters alone."""
    trained = [one for one in module.parameters() if one.requires_grad]
    matrices = [one for one in trained if one.ndim > 1]
    others = [one for one in trained if one.ndim <= 1]
    return [
        {"params": matrices, "lr": rate, "weight_decay": DECAY},
        {"params": others, "lr": rate, "weight_decay": 0.0},
    ]


def store(module: nn.Module, form: torch.memory_format) -> None:
    """Hold the weights of convolutions in this memory format, which their outputs take on."""
    module.to(memory_format=form)  # type: ignore[call-overload]


def _batches(photos: Sequence[Sequence[Item]], plan: Plan, steps: int) -> Iterator[list[Item]]:
    """Batches of a random view of each photo, in random order, pass after pass."""
    random = np.random.default_rng(plan.seed)
    order: list[int] = []
    for _ in range(steps):
        while len(order) < plan.batch:
            order += random.permutation(len(photos)).tolist()
        chosen, order = order[: plan.batch], order[plan.batch :]
        yield [photos[index][int(random.integers(len(photos[index])))] for index in chosen]


def mean_loss(found: Iterable[tuple[tuple[Tensor, Tensor], list[Truth]]]) -> Tensor:
    """Of the outputs of a `DenseHead` for photos of one size each, and their boxes."""
    scores = place = quality = torch.zeros(())
    for outputs, truths in found:
        for logits, distances, truth in zip(*outputs, truths, strict=True):
            own = dense_loss(logits.float(), distances.float(), *truth)
            scores, place, quality = scores + own[0], place + own[1], quality + own[2]
    return (scores + BOX_WEIGHT * place) / quality.clamp(min=1)


def tensors_by_size(batch: Sequence[Example]) -> Iterator[tuple[list[Tensor], list[Truth]]]:
    """The examples of each size, which go through a head together: their maps float32
    [n, C, h, w], and the boxes, labels and ignored boxes of each."""
    for size in {example.size for example in batch}:
        alike = [example for example in batch if example.size == size]
        each_map = zip(*(example.maps for example in alike), strict=True)
        maps = [torch.from_numpy(np.stack(values)).float() for values in each_map]
        yield maps, [truth_of(one) for one in alike]


def truth_of(one: Example | View) -> Truth:
    """Its boxes, labels and ignored boxes."""
    return (
        torch.from_numpy(one.boxes),
        torch.from_numpy(one.labels),
        torch.from_numpy(one.ignored),
    )


def statistics(
    photos: Sequence[Sequence[Example]], maps: int, most: int = 64
) -> tuple[list[Tensor], list[Tensor]]:
    """Mean and standard deviation [C] of each map's channels over evenly chosen photos."""
    chosen = [views[0].maps for views in photos[:: -(-len(photos) // most)]]
    means, deviations = [], []
    for number in range(maps):
        values = [one[number].astype(np.float32) for one in chosen]
        flat = np.concatenate([one.reshape(len(one), -1) for one in values], axis=1)
        means.append(torch.from_numpy(flat.mean(1)))
        deviations.append(torch.from_numpy(flat.std(1) + 1e-3))
    return means, deviations
