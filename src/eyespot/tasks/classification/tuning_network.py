"""A network whose last stages train along with its head.

First the head alone is trained, as a linear probe, then both: gradients of a random head would
spoil the pretrained stages (LP-FT: Kumar et al., "Fine-Tuning can Distort Pretrained Features and
Underperform Out-of-Distribution", ICLR 2022, section 3). Earlier stages get a lower learning rate,
because their features are more general (Howard and Ruder, ULMFiT, ACL 2018, section 3.2).

The stages below are frozen. Their maps of every photo, and of a few random views of it, are
computed once by the engine, so that an epoch costs only the stages that train. Batch norm keeps
its running means and deviations: those of small batches of few photos are noise. Its scales and
shifts are trained.
"""

import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from eyespot.data.photos import Photo
from eyespot.errors import UsageError
from eyespot.features.backbone import Backbone, load_network
from eyespot.features.extract import signed_roots
from eyespot.heads import make_method
from eyespot.heads.method import Fold
from eyespot.heads.ood import OodScorer, fit_ood
from eyespot.heads.scorers import LinearScorer
from eyespot.models.convnet import ConvNet
from eyespot.models.layers import LinearHead
from eyespot.progress import Progress
from eyespot.tasks.classification.frozen_maps import OutOfTime, frozen_maps
from eyespot.training.network import best_device
from eyespot.training.precision import autocast, fastest, keep_depthwise_exact
from eyespot.training.schedules import factor

MOST_EPOCHS, LEAST_EPOCHS = 12, 3
BATCH = 32
LEARNING_RATE, DECAY_PER_STAGE = 1e-3, 0.7
"""Of the head (AdamW), and the factor from each stage to the one before."""
PROBE_PENALTY = 1e-2
CLIP = 1.0
SAFETY = 0.8
"""Share of the remaining time that is planned for: other work may slow the machine."""


class FineTuning:
    """Photos as maps of the frozen stages, and the last stages to train on them.

    `last`: float32 [n, num_features], the pretrained network's last layer, for the linear probe.
    `share`: of the stages with weights, those to train. `epochs`: at most so many.
    `forget_photos`: as in `fit_ood`. `end`: the time (time.perf_counter) by which the
    maps must be computed. Raises OutOfTime, UsageError for a network that cannot be fine-tuned.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        last: NDArray[np.float32],
        backbone: Backbone,
        share: float,
        *,
        epochs: int = MOST_EPOCHS,
        forget_photos: bool = False,
        end: float = math.inf,
        step: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.backbone, self.last, self.forget_photos = backbone, last, forget_photos
        self.epochs, self.device = epochs, best_device()
        self.precision = fastest(self.device)
        self.network = tunable(backbone)
        if self.device.type == "cpu":
            keep_depthwise_exact(self.network)
        self.depth, frozen, self.trained = divided(self.network, share)
        self.maps = frozen_maps(photos, backbone, self.network, frozen[-1], end, step)

    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        *,
        end: float = math.inf,
        progress: Progress = lambda stage, done, total: None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Out-of-fold scores float32 [n, classes] and OOD scores float32 [n]; NaN for photos in
        no test fold.

        `epochs` shrinks so that these networks, and one trained on all photos, are ready by `end`
        (time.perf_counter). Raises OutOfTime if they cannot be.
        """
        scores = np.full((len(labels), classes), np.nan, dtype=np.float32)
        ood_scores = np.full(len(labels), np.nan, dtype=np.float32)
        timed = end < math.inf
        pace = self._seconds_per_photo() if timed else 0.0
        remaining = len(labels) + sum(len(train) for train, _ in folds)
        for number, (train, test) in enumerate(folds):
            start = time.perf_counter()
            if timed:
                self.epochs = min(self.epochs, int(SAFETY * (end - start) / (remaining * pace)))
            if timed and self.epochs < LEAST_EPOCHS:
                raise OutOfTime(LEAST_EPOCHS * remaining * pace / SAFETY)

            def tell(percent: int, before: int = 100 * number) -> None:
                progress("Fine-tuning", before + percent, 100 * len(folds))

            network = self.train(labels, classes, train, tell)
            pace = (time.perf_counter() - start) / (self.epochs * len(train))
            remaining -= len(train)
            scores[test], last = self.predict(network, test)
            ood_scores[test] = self.fit_ood(network, labels, train)(last)
        progress("Fine-tuning", 100 * len(folds), 100 * len(folds))
        return scores, ood_scores

    def fit_ood(
        self, network: ConvNet, labels: NDArray[np.int64], index: NDArray[np.int64]
    ) -> OodScorer:
        """Fitted on the network's last layer for the photos at `index`."""
        _, last = self.predict(network, index)
        return fit_ood(last, labels[index], forget_photos=self.forget_photos)

    def train(
        self,
        labels: NDArray[np.int64],
        classes: int,
        index: NDArray[np.int64],
        tell: Callable[[int], None] = lambda percent: None,
    ) -> ConvNet:
        """The network after `epochs` epochs on the photos at `index`."""
        torch.manual_seed(0)
        network = deepcopy(self.network)
        network.reset_head(classes)
        self._probe(network, labels, classes, index)
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Balanced classes, as in linear heads.
        counts = np.bincount(labels[index], minlength=classes).clip(min=1)
        weight = torch.from_numpy(len(index) / (classes * counts)).float().to(self.device)
        optimiser = self._optimiser(network)
        rates = [group["lr"] for group in optimiser.param_groups]
        parts = math.ceil(len(index) / BATCH)
        network.head.train()
        for epoch in range(self.epochs):
            tell(100 * epoch // self.epochs)
            rng = np.random.default_rng(epoch)
            order = rng.permutation(index)
            views = rng.integers(len(self.maps), size=len(order))
            batches = zip(np.array_split(order, parts), np.array_split(views, parts), strict=True)
            for number, (photos, view) in enumerate(batches, epoch * parts):
                share = factor("cosine", number, self.epochs * parts, parts, warmup=1.0)
                for group, rate in zip(optimiser.param_groups, rates, strict=True):
                    group["lr"] = rate * share
                logits, _ = self._forward(network, self.maps[view, photos])
                targets = torch.from_numpy(labels[photos]).to(self.device)
                optimiser.zero_grad(set_to_none=True)
                F.cross_entropy(logits, targets, weight).backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
                optimiser.step()
        return network.eval()

    @torch.inference_mode()
    def predict(
        self, network: ConvNet, index: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits float32 [m, K] of whole photos, and their last layer [m, d]."""
        found = [
            self._forward(network, self.maps[0, index[start : start + 4 * BATCH]])
            for start in range(0, len(index), 4 * BATCH)
        ]
        logits, last = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
        return logits, signed_roots(last)

    def _forward(self, network: ConvNet, maps: NDArray[np.float16]) -> tuple[Tensor, Tensor]:
        x = torch.from_numpy(maps).to(self.device).float()
        x = x.contiguous(memory_format=torch.channels_last)
        with autocast(self.precision, self.device):
            for name in self.trained:
                x = network.stages[name](x)
            logits = network.forward_head(x)
        return logits.float(), x.float().mean((2, 3))

    def _probe(
        self, network: ConvNet, labels: NDArray[np.int64], classes: int, index: NDArray[np.int64]
    ) -> None:
        """Initialise the head as logistic regression on the pretrained network's last layer."""
        prepared = make_method("logistic").prepare(self.last[index])
        probe = prepared.fit(labels[index], classes, PROBE_PENALTY)
        assert isinstance(probe, LinearScorer)
        assert isinstance(network.head, LinearHead)
        with torch.no_grad():
            network.head.linear.weight.copy_(torch.from_numpy(probe.weights.T))
            network.head.linear.bias.copy_(torch.from_numpy(probe.bias))

    def _optimiser(self, network: ConvNet) -> torch.optim.Optimizer:
        head = {"params": list(network.head.parameters()), "lr": LEARNING_RATE}
        groups: list[dict[str, Any]] = [head]
        for distance, name in enumerate(reversed(self.trained)):
            parameters = list(network.stages[name].parameters())
            groups.append({"params": parameters, "lr": LEARNING_RATE * DECAY_PER_STAGE**distance})
        return torch.optim.AdamW(groups, weight_decay=1e-4)

    def _seconds_per_photo(self) -> float:
        """Median of a few training steps on this machine."""
        network = deepcopy(self.network).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        seconds: list[float] = []
        count = min(BATCH, len(self.last))
        for _ in range(4):
            start = time.perf_counter()
            logits, _ = self._forward(network, self.maps[0, :count])
            logits.sum().backward()  # type: ignore[no-untyped-call]
            seconds.append(time.perf_counter() - start)
        return median(seconds[1:]) / count


def tunable(backbone: Backbone) -> ConvNet:
    """The network in evaluation mode. Raises UsageError if it cannot be fine-tuned."""
    network = load_network(backbone)
    if not isinstance(getattr(network, "head", None), LinearHead):
        raise UsageError(
            f"{backbone.name} cannot be fine-tuned: its head is not one linear layer on the mean "
            "of its last maps. Choose another network, such as efficientnet_lite0."
        )
    return network.eval()


def divided(network: ConvNet, share: float) -> tuple[int, list[str], list[str]]:
    """How many stages with weights are trained; the names of the frozen and of the trained."""
    names = list(network.stages)
    # The first detects edges and colours and always stays frozen.
    _, *trainable = (name for name in names if list(network.stages[name].parameters()))
    depth = math.ceil(share * len(trainable))
    first = names.index(trainable[-depth])
    return depth, names[:first], names[first:]
