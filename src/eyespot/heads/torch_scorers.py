"""Scorers as torch modules: the arithmetic of `scorers.py`, for exports and for gradients."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.heads.scorers import (
    NEIGHBOUR_TEMPERATURE,
    LinearScorer,
    LogitsScorer,
    NeighboursScorer,
    Scorer,
)


def signed_roots(x: Tensor) -> Tensor:
    """`features.extract.signed_roots`. Its gradient at zero is NaN."""
    return x.sign() * x.abs().sqrt()


def array(values: Any) -> nn.Buffer:
    return nn.Buffer(torch.from_numpy(values.copy()))


def scorer_module(scorer: Scorer) -> nn.Module:
    """A module from the signed roots of features [N, d] to scores [N, K]."""
    if isinstance(scorer, LinearScorer):
        return _Linear(scorer)
    if isinstance(scorer, NeighboursScorer):
        return _Neighbours(scorer)
    if isinstance(scorer, LogitsScorer):
        return _Logits()
    raise TypeError(f"no torch module for a head of kind {scorer.kind!r}")


class _Linear(nn.Module):
    def __init__(self, scorer: LinearScorer) -> None:
        super().__init__()
        self.weights, self.bias = array(scorer.weights), array(scorer.bias)

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.weights + self.bias


class _Logits(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features * features.abs()


class _Neighbours(nn.Module):
    def __init__(self, scorer: NeighboursScorer) -> None:
        super().__init__()
        self.mean, self.scale = array(scorer.mean), array(scorer.scale)
        self.references, self.labels = array(scorer.references), array(scorer.labels)
        self.k, self.classes = min(scorer.k, len(scorer.references)), scorer.classes

    def forward(self, features: Tensor) -> Tensor:
        query = F.normalize((features - self.mean) * self.scale)
        closeness, nearest = (query @ self.references.T).topk(self.k)
        votes = ((closeness - 1) / NEIGHBOUR_TEMPERATURE).exp()
        votes_for = (self.labels[nearest][:, :, None] == torch.arange(self.classes)).float()
        # The scorer adds this; the ONNX exporter would optimise so small an addend away.
        nobody = math.exp(-2 / NEIGHBOUR_TEMPERATURE)
        return (votes[:, None] @ votes_for)[:, 0].clamp(min=nobody).log()
