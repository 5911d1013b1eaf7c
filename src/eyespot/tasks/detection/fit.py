"""Fit a dense head on frozen maps: AdamW, one cycle of the learning rate, averaged weights."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

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
    _store(head, torch.channels_last)  # in which depthwise convolutions are faster
    optimise(head, photos, plan, partial(_loss, head), progress)
    _store(head, torch.contiguous_format)
    return head


def optimise(
    head: nn.Module,
    photos: Sequence[Sequence[Example]],
    plan: Plan,
    loss: Callable[[list[Example]], Tensor],
    progress: Callable[[int], None],
) -> None:
    """Train a head in place. `loss`: of a batch."""
    head.train()
    average = [parameter.detach().clone() for parameter in head.parameters()]
    matrices = [one for one in head.parameters() if one.ndim > 1]
    others = [one for one in head.parameters() if one.ndim == 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
        lr=RATE,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=plan.steps, pct_start=WARM
    )
    for step, batch in enumerate(_batches(photos, plan)):
        optimiser.zero_grad()
        loss(batch).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(head.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
        decay = min(SLOWEST, (2 + step) / (11 + step))
        with torch.no_grad():
            for kept, parameter in zip(average, head.parameters(), strict=True):
                kept.lerp_(parameter, 1 - decay)
        progress(1)
    with torch.no_grad():
        for kept, parameter in zip(average, head.parameters(), strict=True):
            parameter.copy_(kept)
    head.eval().requires_grad_(False)


def _store(head: DenseHead, form: torch.memory_format) -> None:
    """Hold the weights of convolutions in this memory format, which their outputs take on."""
    head.to(memory_format=form)  # type: ignore[call-overload]


def _batches(photos: Sequence[Sequence[Example]], plan: Plan) -> Iterator[list[Example]]:
    """Batches of a random view of each photo, in random order, pass after pass."""
    random = np.random.default_rng(plan.seed)
    order: list[int] = []
    for _ in range(plan.steps):
        while len(order) < plan.batch:
            order += random.permutation(len(photos)).tolist()
        chosen, order = order[: plan.batch], order[plan.batch :]
        yield [photos[index][int(random.integers(len(photos[index])))] for index in chosen]


def _loss(head: DenseHead, batch: Sequence[Example]) -> Tensor:
    scores = place = quality = torch.zeros(())
    for maps, truths in tensors_by_size(batch):
        for logits, distances, truth in zip(*head(maps), truths, strict=True):
            own = dense_loss(logits, distances, *truth)
            scores, place, quality = scores + own[0], place + own[1], quality + own[2]
    return (scores + BOX_WEIGHT * place) / quality.clamp(min=1)


def tensors_by_size(batch: Sequence[Example]) -> Iterator[tuple[list[Tensor], list[Truth]]]:
    """The examples of each size, which go through a head together: their maps float32
    [n, C, h, w], and the boxes, labels and ignored boxes of each."""
    for size in {example.size for example in batch}:
        alike = [example for example in batch if example.size == size]
        each_map = zip(*(example.maps for example in alike), strict=True)
        maps = [torch.from_numpy(np.stack(values)).float() for values in each_map]
        truths = [
            (
                torch.from_numpy(one.boxes),
                torch.from_numpy(one.labels),
                torch.from_numpy(one.ignored),
            )
            for one in alike
        ]
        yield maps, truths


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
