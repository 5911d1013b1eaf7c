"""Fine-tuning: the last stages of the network learn along with the head.

First the head alone, as a linear probe, then both: a head that knows nothing yet would spoil what
the stages know (LP-FT: Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", ICLR 2022, section 3). Earlier stages learn more slowly, because what they see
is more general (Howard and Ruder, ULMFiT, ACL 2018, section 3.2).

The stages below are frozen. What they make of every photo, and of a few random views of it, is
computed once by the engine that photos get anyway, so that an epoch costs only the stages that
learn. Batch norm keeps the means and deviations that it was trained with: those of small batches
of few photos are noise. Its scales and shifts learn.
"""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from eyespot.data.decode import decode
from eyespot.data.photos import Photo
from eyespot.data.transforms import Preprocessing, needed_short_side, prepare
from eyespot.errors import UsageError
from eyespot.evaluation.crossval import choose_and_calibrate
from eyespot.features.backbone import LOGITS, Backbone, load_network
from eyespot.features.engines import open_engine
from eyespot.features.extract import signed_roots
from eyespot.features.own_weights import keep_own
from eyespot.features.usable import expect_usable
from eyespot.heads import make_method
from eyespot.heads.method import Fold
from eyespot.heads.ood import Familiarity, learn_familiarity
from eyespot.heads.scorers import LinearScorer, LogitsScorer
from eyespot.models.convnet import ConvNet
from eyespot.models.layers import LinearHead
from eyespot.progress import Progress, counting
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.tasks.classification.policy import FINETUNE, TUNED_SHARE, Candidate
from eyespot.tasks.classification.select import TOO_MUCH, LeftOut, Tried, spent
from eyespot.tasks.classification.split import Division
from eyespot.tasks.classification.work import TUNING_WORK
from eyespot.training.images import allocate
from eyespot.training.network import best_device
from eyespot.training.precision import autocast, fastest, keep_depthwise_exact
from eyespot.training.schedules import factor
from eyespot.weights import zoo
from eyespot.weights.store import Pretrained
from eyespot.weights.write import packed, state_digest

VIEWS, LEAST_PART = 4, 0.75
"""Of each photo: the whole, and random parts of it, as high and wide as this share at least."""
MOST_EPOCHS, LEAST_EPOCHS = 12, 3
BATCH = 32
RATE, SLOWER = 1e-3, 0.7
"""Learning rate of the head (AdamW), and what it is multiplied by from each stage to the one
before."""
PROBE_PENALTY = 1e-2
CLIP = 1.0
SAFETY = 0.8
"""Part of the time left that is planned for: other work may slow the machine."""


class OutOfTime(Exception):
    """Fine-tuning takes longer than there is time. `seconds`: it needs so many more from here on,
    estimated; 0 if nothing is known yet."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class FineTuning:
    """Photos as the frozen stages see them, ready for the last stages to learn from.

    `last`: float32 [n, num_features], the untouched network's last layer, for the linear probe.
    `share`: of the stages that can learn, those that do. `epochs`: at most so many.
    `forget_photos`: as `learn_familiarity` has it. `end`: the moment (time.perf_counter) by which
    the frozen stages must be done. Raises OutOfTime, UsageError for a network that cannot be
    fine-tuned.
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
        self.epochs = epochs
        self.device = best_device()
        self.precision = fastest(self.device)
        self.network = tunable(backbone)
        if self.device.type == "cpu":
            keep_depthwise_exact(self.network)
        self.depth, frozen, self.learning = _divided(self.network, share)
        self.maps = _frozen_maps(photos, backbone, self.network, frozen[-1], end, step)

    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        *,
        end: float = math.inf,
        progress: Progress = lambda stage, done, total: None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores float32 [n, classes], and familiarity float32 [n], of photos by networks that
        never saw them; NaN for those in no fold's second part.

        `epochs` shrinks so that these networks, and one that learns from all photos, are ready at
        the moment `end` (time.perf_counter). Raises OutOfTime if they cannot be.
        """
        scores = np.full((len(labels), classes), np.nan, dtype=np.float32)
        familiarity = np.full(len(labels), np.nan, dtype=np.float32)
        timed = end < math.inf
        pace = self._seconds_per_photo() if timed else 0.0
        left = len(labels) + sum(len(train) for train, _ in folds)
        for number, (train, test) in enumerate(folds):
            start = time.perf_counter()
            if timed:
                self.epochs = min(self.epochs, int(SAFETY * (end - start) / (left * pace)))
            if timed and self.epochs < LEAST_EPOCHS:
                raise OutOfTime(LEAST_EPOCHS * left * pace / SAFETY)

            def tell(percent: int, before: int = 100 * number) -> None:
                progress("Fine-tuning", before + percent, 100 * len(folds))

            network = self.learn(labels, classes, train, tell)
            pace = (time.perf_counter() - start) / (self.epochs * len(train))
            left -= len(train)
            scores[test], found = self.answers(network, test)
            familiarity[test] = self.familiarity(network, labels, train)(found)
        progress("Fine-tuning", 100 * len(folds), 100 * len(folds))
        return scores, familiarity

    def familiarity(
        self, network: ConvNet, labels: NDArray[np.int64], index: NDArray[np.int64]
    ) -> Familiarity:
        """With the photos at `index`, as the network sees them."""
        _, seen = self.answers(network, index)
        return learn_familiarity(seen, labels[index], forget_photos=self.forget_photos)

    def learn(
        self,
        labels: NDArray[np.int64],
        classes: int,
        index: NDArray[np.int64],
        tell: Callable[[int], None] = lambda percent: None,
    ) -> ConvNet:
        """The network after `epochs` passes over the photos at `index`."""
        torch.manual_seed(0)
        network = deepcopy(self.network)
        network.reset_head(classes)
        self._probe(network, labels, classes, index)
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Classes count alike however many photos they have, as they do in linear heads.
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
    def answers(
        self, network: ConvNet, index: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits float32 [m, K] of whole photos, and what familiarity sees of them [m, d]."""
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
            for name in self.learning:
                x = network.stages[name](x)
            logits = network.forward_head(x)
        return logits.float(), x.float().mean((2, 3))

    def _probe(
        self, network: ConvNet, labels: NDArray[np.int64], classes: int, index: NDArray[np.int64]
    ) -> None:
        """Have the head begin as logistic regression on the untouched network's last layer."""
        prepared = make_method("logistic").prepare(self.last[index])
        probe = prepared.fit(labels[index], classes, PROBE_PENALTY)
        assert isinstance(probe, LinearScorer)
        assert isinstance(network.head, LinearHead)
        with torch.no_grad():
            network.head.linear.weight.copy_(torch.from_numpy(probe.weights.T))
            network.head.linear.bias.copy_(torch.from_numpy(probe.bias))

    def _optimiser(self, network: ConvNet) -> torch.optim.Optimizer:
        groups: list[dict[str, Any]] = [{"params": list(network.head.parameters()), "lr": RATE}]
        for distance, name in enumerate(reversed(self.learning)):
            parameters = list(network.stages[name].parameters())
            groups.append({"params": parameters, "lr": RATE * SLOWER**distance})
        return torch.optim.AdamW(groups, weight_decay=1e-4)

    def _seconds_per_photo(self) -> float:
        """Of a step of learning on this machine, the middle of a few."""
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


def _stages_that_can_learn(network: ConvNet) -> list[str]:
    """Those with weights; the first of them, which sees edges and colours, always stays frozen."""
    stages = network.stages.items()
    return [name for name, stage in stages if next(stage.parameters(), None) is not None][1:]


def _divided(network: ConvNet, share: float) -> tuple[int, list[str], list[str]]:
    """How many stages with weights learn, and the names of those that do not and of those that
    do."""
    names, able = list(network.stages), _stages_that_can_learn(network)
    depth = math.ceil(share * len(able))
    first = names.index(able[-depth])
    return depth, names[:first], names[first:]


def planned_epochs(
    backbone: Backbone, share: float, photos: int, trained: int, work: float
) -> tuple[int, float]:
    """Epochs that fit into `work` multiply-adds, MOST_EPOCHS at most, and what they take.

    `photos`: as many go through the frozen stages. `trained`: photos of one epoch of all the
    networks that are trained. A step of training counts three times what a prediction does: one
    for it, two for the gradients.
    """
    network = tunable(backbone)
    _, _, learning = _divided(network, share)
    frozen = 0
    side = backbone.preprocessing.size
    x = torch.zeros(1, network.in_channels, side, side)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        for name, stage in network.stages.items():
            if name == learning[0]:
                frozen = counter.get_total_flops()
            x = stage(x)
    # The counter counts a multiply-add twice.
    fixed = frozen / 2 * VIEWS * photos
    epoch = 3 * (counter.get_total_flops() - frozen) / 2 * trained
    epochs = min(MOST_EPOCHS, int(max(0.0, work - fixed) / epoch))
    return epochs, fixed + epochs * epoch


def _frozen_maps(
    photos: Sequence[Photo],
    backbone: Backbone,
    network: ConvNet,
    stage: str,
    end: float,
    step: Callable[[int], None],
) -> NDArray[np.float16]:
    """What `stage` makes of each view of each photo: [views, n, C, h, w]. Raises OutOfTime."""
    side = backbone.preprocessing.size
    with torch.inference_mode():
        shape = network.forward_features(torch.zeros(1, network.in_channels, side, side))[
            stage
        ].shape[1:]
    whole = (VIEWS, len(photos), *shape)
    maps = allocate(whole, np.float16)
    engine = open_engine(replace(backbone, blocks=(f"{stage}.map",)))
    preprocessing = backbone.preprocessing
    short_side = needed_short_side(preprocessing)
    larger = math.ceil(short_side / LEAST_PART)  # parts, too, should have all pixels they can show

    start = time.perf_counter()

    def compute(index: int) -> None:
        now = time.perf_counter()
        if now > end:  # those left, and as long again for learning
            raise OutOfTime((now - start) * (2 * len(photos) / max(index, 1) - 1) if index else 0.0)
        data = photos[index].read()
        first = prepare(decode(data, short_side=short_side).pixels, preprocessing)
        parts = _parts(decode(data, short_side=larger).pixels, preprocessing, index)
        views = np.stack([first, *parts])
        found = expect_usable(engine.run(views), backbone.name)
        maps[:, index] = found.reshape(VIEWS, *shape)

    with ThreadPoolExecutor(engine.workers) as pool:
        for _ in pool.map(compute, range(len(photos))):
            step(1)
    return maps


def _parts(
    pixels: NDArray[np.uint8], preprocessing: Preprocessing, seed: int
) -> list[NDArray[np.uint8]]:
    """VIEWS - 1 parts of a photo, darker or brighter: uint8 [S, S, 3]. Nothing is mirrored: a
    letter or a hand would become another one."""
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    parts = []
    for _ in range(VIEWS - 1):
        high, wide = (
            (rng.uniform(LEAST_PART, 1, 2) * (height, width)).round().astype(int).clip(min=1)
        )
        top, left = rng.integers(height - high + 1), rng.integers(width - wide + 1)
        part = prepare(pixels[top : top + high, left : left + wide], preprocessing)
        light = part * rng.uniform(0.8, 1.2) + rng.uniform(-20, 20)
        parts.append(light.clip(0, 255).astype(np.uint8))
    return parts


@dataclass(frozen=True)
class Tuned(Tried):
    """Fine-tuning, ready to be done with all photos. `familiarity`: float32 [n], out of fold."""

    tuning: FineTuning
    familiarity: NDArray[np.float32]

    def classifier(
        self, labels: NDArray[np.int64], names: tuple[str, ...], progress: Progress
    ) -> Classifier:
        """Learnt from all the photos, `labels` int64 [n]. Its network is its own."""
        tuning, everything = self.tuning, np.arange(len(labels))
        stage = "Fine-tuning with all photos"
        network = tuning.learn(
            labels, len(names), everything, lambda percent: progress(stage, percent, 100)
        )
        progress(stage, 100, 100)
        familiarity = tuning.familiarity(network, labels, everything)
        about, body = zoo.find(tuning.backbone.name), tuning.backbone
        state = network.cpu().state_dict()
        known = Pretrained(Path(), "store", body.preprocessing, names, state_digest(state))
        origin = f"{self.candidate.words} of {body.name} {body.sha256[:12]}"
        sha256 = keep_own(packed(about, state, known, origin))
        return Classifier(
            classes=names,
            backbone=replace(body, sha256=sha256, blocks=(LOGITS, body.last), own=True),
            recipe=Recipe(FINETUNE, (LOGITS,), tuning.depth),
            scorer=LogitsScorer(len(names)),
            temperature=self.found.temperature,
            familiarity=familiarity,
        )


def try_tunings(
    order: Sequence[Candidate],
    photos: Sequence[Photo],
    last: NDArray[np.float32],
    backbone: Backbone,
    labels: NDArray[np.int64],
    classes: int,
    division: Division,
    budget: float | None,
    progress: Progress,
    *,
    start: float,
    forget_photos: bool = False,
) -> tuple[list[Tuned], list[LeftOut]]:
    """Cross-validate one way of fine-tuning after the other, and say what was left out.

    Without a budget, epochs are planned from the numbers of photos and the network's operations.
    `budget`: seconds since `start` (time.perf_counter) by which all must be done. `photos`,
    `last`, `labels`: of the photos to train on, as `FineTuning` takes them.
    """
    end = math.inf if budget is None else start + budget
    folds, work = division.repeats[0], TUNING_WORK
    trained = len(photos) + sum(len(train) for train, _ in folds)
    tried: list[Tuned] = []
    left: list[LeftOut] = []
    for candidate in order:
        before, epochs, why = time.perf_counter(), MOST_EPOCHS, TOO_MUCH
        share = TUNED_SHARE[candidate.view]
        if budget is None:
            epochs, needed = planned_epochs(backbone, share, len(photos), trained, work)
            if epochs < LEAST_EPOCHS:
                left.append(LeftOut(candidate.name, why))
                continue
            work -= needed
        else:
            why = spent(budget)
        try:
            tuning = FineTuning(
                photos,
                last,
                backbone,
                share,
                epochs=epochs,
                forget_photos=forget_photos,
                end=(before + end) / 2,
                step=counting(progress, "Looking through the frozen stages", len(photos)),
            )
            scores, familiarity = tuning.out_of_fold(
                labels, classes, folds, end=end, progress=progress
            )
        except OutOfTime as error:
            left.append(LeftOut(candidate.name, _lacking(budget or 0.0, start, before, error)))
            left += [LeftOut(one.name, why) for one in order[order.index(candidate) + 1 :]]
            break
        found = choose_and_calibrate(scores[None], labels, division.parts, (tuning.depth,))
        taken = time.perf_counter() - before
        tried.append(Tuned(candidate, found, taken, tuning, familiarity))
        if tuning.epochs < MOST_EPOCHS:
            fewer = f"{MOST_EPOCHS - tuning.epochs} of {MOST_EPOCHS} epochs of {candidate.name}"
            left.append(LeftOut(fewer, why))
        end -= taken / len(folds)  # kept for training on all photos, if it is selected
    return tried, left


def _lacking(budget: float, start: float, before: float, error: OutOfTime) -> str:
    """Why a candidate that was begun at `before` did not fit into the budget."""
    if not error.seconds:
        return spent(budget)
    now = time.perf_counter()
    # The frozen stages get half of the time at most.
    needed = now - start + max(now - before, error.seconds)
    return f"{spent(budget)}; about {10 * math.ceil(needed / 10)} s are needed here"
