"""A network of timm with the methods of `ConvNet`."""

from importlib import import_module
from typing import Any

from torch import Tensor, nn

from eyespot.errors import MissingExtraError, UsageError, WeightsError
from eyespot.models.catalogue import TIMM_PREFIX

STAGES = 3
"""The most last stages (blocks, in transformers) that are read."""


class TimmNet(nn.Module):
    """float32 [N, in_channels, H, W] -> logits [N, K]. `model`: timm's.

    `stage_names`: maps of `forward_features` besides "head". Raises UsageError for the few networks
    without a single last layer that classifies.
    """

    def __init__(self, name: str, model: Any, in_channels: int) -> None:
        super().__init__()
        layer = model.pretrained_cfg.get("classifier")
        classifier = model.get_classifier() if hasattr(model, "get_classifier") else None
        if not isinstance(layer, str) or not isinstance(classifier, nn.Linear | nn.Conv2d):
            raise UsageError(
                f"{name} has no single last layer that classifies, so eyespot cannot use it. "
                "Choose another network."
            )
        self.model = model
        self.in_channels = in_channels
        self.head_names = (f"model.{layer}.",)
        self.num_features = classifier.weight.shape[1]
        known = getattr(model, "feature_info", None) or []
        usable = hasattr(model, "forward_intermediates")
        self.stage_names = [info["module"] for info in known][-STAGES:] if usable else []

    def forward_features(self, x: Tensor) -> dict[str, Tensor]:
        """The maps of the last stages, each [N, C, h, w], and "head" [N, num_features, 1, 1], the
        input of the last layer."""
        if self.stage_names:
            last, maps = self.model.forward_intermediates(
                x, indices=len(self.stage_names), output_fmt="NCHW"
            )
        else:
            last, maps = self.model.forward_features(x), []
        features = self.model.forward_head(last, pre_logits=True)
        named = dict(zip(self.stage_names, maps, strict=True))
        return named | {"head": features.flatten(1)[:, :, None, None]}

    def forward_head(self, maps: Tensor) -> Tensor:
        """Logits from the map "head"."""
        classifier = self.model.get_classifier()
        out: Tensor = classifier(maps if isinstance(classifier, nn.Conv2d) else maps.flatten(1))
        return out.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x)["head"])

    def reset_head(self, num_classes: int) -> None:
        """Replace the last layer by one with random weights for `num_classes` classes."""
        old = next(self.parameters())
        self.model.reset_classifier(num_classes)
        self.to(old.device, old.dtype)


def build(name: str, num_classes: int | None = None, in_channels: int | None = None) -> TimmNet:
    """timm's network with random weights; None for its own number of classes and channels."""
    options = {"num_classes": num_classes, "in_chans": in_channels}
    model = import_timm().create_model(
        name.removeprefix(TIMM_PREFIX), **{k: v for k, v in options.items() if v is not None}
    )
    return TimmNet(name, model, in_channels or 3)


def from_published(model: TimmNet, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename timm's tensors: eyespot's names begin with "model."."""
    return {f"model.{key}": tensor for key, tensor in state.items()}


def import_timm() -> Any:
    try:
        return import_module("timm")
    except ImportError as error:
        raise MissingExtraError("A network of timm", "timm") from error
    except RuntimeError as error:  # torch and torchvision, which it imports, do not match
        raise WeightsError(
            f"timm is installed, but cannot be imported ({error}). Reinstall torch and torchvision "
            "together, from the same index."
        ) from error
