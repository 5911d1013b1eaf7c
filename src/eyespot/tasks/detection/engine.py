"""Engines of detectors: the frozen maps alone, for training, and with the head, for prediction."""

from functools import partial
from typing import TYPE_CHECKING, Any

from eyespot.features.backbone import Backbone
from eyespot.features.dense import DenseEngine, maps_module
from eyespot.tasks.detection.manifest import Model, head_digest
from eyespot.tasks.detection.method import method_called

if TYPE_CHECKING:
    from torch import Tensor, nn


def maps_engine(backbone: Backbone) -> DenseEngine:
    """The maps of a backbone whose blocks are `stage.map`."""
    return DenseEngine(f"{backbone.network}-maps", partial(maps_module, backbone))


def detector_engine(model: Model) -> DenseEngine:
    """From a photo to the outputs of its method's head."""
    key = f"{model.backbone.network}-{head_digest(model)[:16]}"
    exact = method_called(model.method).EXACT
    return DenseEngine(key, partial(detector_module, model), exact)


def head_of(model: Model) -> Any:
    """The head in torch. Raises RuntimeError if the arrays do not fit."""
    method = method_called(model.method)
    return method.build(model.channels, len(model.classes), model.width, model.head)


def detector_module(model: Model) -> "nn.Module":
    """uint8 RGB [N, H, W, 3] -> the outputs of the head."""
    from torch import nn

    class Detecting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.maps = maps_module(model.backbone)
            self.head = head_of(model)

        def forward(self, images: "Tensor") -> "tuple[Tensor, Tensor]":
            found: tuple[Tensor, Tensor] = self.head(self.maps(images))
            return found

    return Detecting().eval()
