"""torchvision as the oracle for our networks. Its wheels expect CUDA's torch; beside the CPU's
they import once two names that they look for are there."""

import torch

_LIBRARY = torch.library.Library("torchvision", "DEF")
_LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import models as torchvision_models  # noqa: E402

__all__ = ["torchvision_models"]
