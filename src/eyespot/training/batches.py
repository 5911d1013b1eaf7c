"""The batches of a run: the images of each step, augmented and mixed.

Every step seeds torch's generator with the plan's seed and the number of the step, so a resumed run
is bit by bit the uninterrupted one. Several processes take the same steps together: each computes
its share of every batch as one process would.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from eyespot.arrays import I64
from eyespot.errors import UsageError
from eyespot.training import processes
from eyespot.training.augment import cutmix, find_augmentation, mixup
from eyespot.training.images import ImageSet
from eyespot.training.losses import as_targets
from eyespot.training.plan import Plan

PIECE = 128
"""Images that are augmented at once. A process that has a share of a piece augments all of it, to
draw the random numbers of the others."""


class Batches:
    """Batches of `data` for images of `side` pixels. Raises UsageError for an unknown augmentation,
    or if a process's share of a batch is too small for batch norm."""

    def __init__(self, plan: Plan, data: ImageSet, side: int) -> None:
        self.plan, self.data, self.side = plan, data, side
        self.augmentation = find_augmentation(plan.augmentation)
        self.per_epoch = math.ceil(len(data) / plan.batch_size)
        smallest = len(data) // self.per_epoch // plan.accumulate
        if processes.count() > 1 and smallest < 2 * processes.count():
            raise UsageError(
                f"Expected two images or more in each part of a batch for each of "
                f"{processes.count()} processes, but some parts have {smallest}. Start fewer "
                "processes, or choose a larger --batch-size or a smaller --accumulate."
            )

    def indices(self, step: int) -> I64:
        """The images of a step: every epoch has its own order, with each image once.

        Batches of one epoch differ by one image at most: a last batch of a single image would have
        no statistics for batch norm.
        """
        count, steps = len(self.data), self.per_epoch
        epoch, within = divmod(step, steps)
        order = _order(self.plan.seed, epoch, count)
        return order[within * count // steps : (within + 1) * count // steps]

    def parts(self, step: int) -> list[I64]:
        """The images of a step, in the parts that are computed one after the other."""
        index = self.indices(step)
        return np.array_split(index, min(self.plan.accumulate, len(index)))

    def prefetch(self, steps: range) -> None:
        """Begin to read the images of `steps`."""
        for step in steps:
            for part in self.parts(step):
                self.data.prefetch(part[self._read_share(len(part))])

    def load(self, part: I64, step: int, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels [n, C, S, S], targets [n, K], labels [n] of this process's share of a part."""
        plan = self.plan
        own, read = processes.share(len(part)), self._read_share(len(part))
        pixels, labels = self._augmented(part, step, number, read)
        targets = as_targets(labels, len(self.data.classes), plan.label_smoothing)
        self._seed(step, number, 1)
        if plan.mixup:
            pixels, targets = mixup(pixels, targets, plan.mixup)
        if plan.cutmix:
            pixels, targets = cutmix(pixels, targets, plan.cutmix)
        if read != own:
            pixels, targets, labels = pixels[own], targets[own], labels[own]
        self._seed(step, number, 2, processes.rank())
        return pixels, targets, labels

    def _read_share(self, count: int) -> slice:
        """The images of a part that this process reads: all if they are mixed, else its share."""
        mixing = self.plan.mixup or self.plan.cutmix
        return slice(0, count) if mixing else processes.share(count)

    def _augmented(self, part: I64, step: int, number: int, wanted: slice) -> tuple[Tensor, Tensor]:
        """The `wanted` images of a part, float32 [n, C, S, S], and their labels, int64 [n].

        They do not depend on the other images that are wanted.
        """
        pixels, labels = [], []
        for start in range(0, len(part), PIECE):
            piece = part[start : start + PIECE]
            first, end = max(wanted.start - start, 0), min(wanted.stop - start, len(piece))
            if first >= end:
                continue
            # A wanted image replaces each unwanted one, which need not be read.
            read = piece[np.arange(len(piece)).clip(first, end - 1)]
            self._seed(step, number, 0, start)
            images, truth = self.data.batch(read)
            pixels.append(self.augmentation(images, self.side)[first:end])
            labels.append(truth[first:end])
        return torch.cat(pixels), torch.cat(labels)

    def _seed(self, step: int, *purpose: int) -> None:
        """Seed torch's generator by the plan's seed, the step and the purpose."""
        seeds = np.random.SeedSequence((self.plan.seed, step, *purpose))
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0]))


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> I64:
    return np.random.default_rng((seed, epoch)).permutation(count)
