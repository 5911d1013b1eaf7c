"""How a network answers pictures that it does not learn from."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing
from eyespot.training import processes
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan
from eyespot.training.precision import precise

AT_ONCE = 256


@torch.inference_mode()
def judged(
    network: nn.Module, pictures: Pictures, preprocessing: Preprocessing, plan: Plan
) -> tuple[float, float]:
    """Mean loss and accuracy over all pictures that can be read, each once, at its centre and
    unchanged. Of several processes, each answers its share, and all get the figures of the whole.
    """
    total, right, seen = 0.0, 0, 0
    mine = processes.share(len(pictures))
    for index, logits, labels in _scores(network, pictures, preprocessing, plan, mine):
        if pictures.unread:
            own = torch.from_numpy(~np.isin(index, list(pictures.unread)))
            logits, labels = logits[own], labels[own]
        targets = as_targets(labels, logits.shape[1], 0.0)
        total += float(LOSSES[plan.loss](logits, targets)) * len(labels)
        right += int((logits.argmax(1) == labels).sum())
        seen += len(labels)
    loss, hits, count = processes.total([total, right, seen])
    return loss / count, hits / count


@torch.inference_mode()
def answers(
    network: nn.Module, pictures: Pictures, preprocessing: Preprocessing, plan: Plan
) -> NDArray[np.float64]:
    """The softmax [N, K] of the scores that `judged` judges."""
    every = slice(0, len(pictures))
    scores = [logits for _, logits, _ in _scores(network, pictures, preprocessing, plan, every)]
    return torch.cat(scores).double().softmax(1).numpy()


def _scores(
    network: nn.Module,
    pictures: Pictures,
    preprocessing: Preprocessing,
    plan: Plan,
    asked: slice,
) -> Iterator[tuple[NDArray[np.int64], Tensor, Tensor]]:
    """Of the pictures that are `asked`, batch by batch: which they are, int64 [n]; float32 [n, K];
    and their labels, int64 [n]."""
    device = next(network.parameters()).device
    network.eval()
    side = preprocessing.size
    for start in range(asked.start, asked.stop, AT_ONCE):
        index = np.arange(start, min(start + AT_ONCE, asked.stop))
        pictures.order(np.arange(start, min(start + 2 * AT_ONCE, asked.stop)))
        images, labels = pictures.batch(index)
        pixels = centre(images, side).float().to(device)
        with precise(plan.precision, device):
            logits = network(standardised(pixels, preprocessing)).float().cpu()
        yield index, logits, labels


def centre(images: Tensor, side: int) -> Tensor:
    """The middle `side` x `side` pixels of squares [N, C, S, S]."""
    edge = (images.shape[2] - side) // 2
    return images[:, :, edge : edge + side, edge : edge + side]


def standardised(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """float32 pixels of 0..255 [N, C, S, S] as a network takes them."""
    channels = pixels.shape[1]
    mean = pixels.new_tensor(preprocessing.mean[:channels]).view(1, -1, 1, 1)
    std = pixels.new_tensor(preprocessing.std[:channels]).view(1, -1, 1, 1)
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)
