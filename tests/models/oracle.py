"""torchvision as the oracle for our networks. Its wheels expect CUDA's torch; beside the CPU's
they import once two names that they look for are there."""

import torch

_LIBRARY = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
_LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
_LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]

from torchvision import models as torchvision_models  # noqa: E402

__all__ = ["torchvision_models"]
