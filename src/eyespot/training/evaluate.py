"""Evaluate a network on images that it is not trained on."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.arrays import F64, I64
from eyespot.data.transforms import Preprocessing
from eyespot.training import processes
from eyespot.training.images import ImageSet
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.plan import Plan
from eyespot.training.precision import autocast

BATCH = 256


@torch.inference_mode()
def evaluate_network(
    network: nn.Module, data: ImageSet, preprocessing: Preprocessing, plan: Plan
) -> tuple[float, float]:
    """Mean loss and accuracy over the centre crops of all readable images.

    Several processes evaluate a share each, and all return the values of the whole.
    """
    loss, correct, count = 0.0, 0, 0
    share = processes.share(len(data))
    for index, logits, labels in _logits(network, data, preprocessing, plan, share):
        if data.unread:
            own = torch.from_numpy(~np.isin(index, list(data.unread)))
            logits, labels = logits[own], labels[own]
        targets = as_targets(labels, logits.shape[1], 0.0)
        loss += float(LOSSES[plan.loss](logits, targets)) * len(labels)
        correct += int((logits.argmax(1) == labels).sum())
        count += len(labels)
    total_loss, total_correct, total_count = processes.total([loss, correct, count])
    return total_loss / total_count, total_correct / total_count


@torch.inference_mode()
def class_probabilities(
    network: nn.Module, data: ImageSet, preprocessing: Preprocessing, plan: Plan
) -> F64:
    """Softmax [N, K] of the logits of all images."""
    every = slice(0, len(data))
    parts = [logits for _, logits, _ in _logits(network, data, preprocessing, plan, every)]
    return torch.cat(parts).double().softmax(1).numpy()


def _logits(
    network: nn.Module, data: ImageSet, preprocessing: Preprocessing, plan: Plan, share: slice
) -> Iterator[tuple[I64, Tensor, Tensor]]:
    """Indices int64 [n], logits float32 [n, K] and labels int64 [n] of each batch of a `share`."""
    device = next(network.parameters()).device
    network.eval()
    for start in range(share.start, share.stop, BATCH):
        index = np.arange(start, min(start + BATCH, share.stop))
        data.prefetch(np.arange(start, min(start + 2 * BATCH, share.stop)))
        images, labels = data.batch(index)
        pixels = centre(images, preprocessing.size).float().to(device)
        with autocast(plan.precision, device):
            logits = network(standardised(pixels, preprocessing)).float().cpu()
        yield index, logits, labels


def centre(images: Tensor, side: int) -> Tensor:
    """The middle `side` x `side` pixels of squares [N, C, S, S]."""
    edge = (images.shape[2] - side) // 2
    return images[:, :, edge : edge + side, edge : edge + side]


def standardised(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Pixels 0..255, float32 [N, C, S, S], less their mean and divided by their deviation."""
    channels = pixels.shape[1]
    mean = pixels.new_tensor(preprocessing.mean[:channels]).view(1, -1, 1, 1)
    std = pixels.new_tensor(preprocessing.std[:channels]).view(1, -1, 1, 1)
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)
