"""Batch norm over a whole batch of which several processes hold a share each."""

import torch
from torch import Tensor, nn

from eyespot.errors import UsageError
from eyespot.training.processes import summed


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`nn.SyncBatchNorm`, which needs GPUs, for processes on CPUs."""

    def forward(self, input: Tensor) -> Tensor:
        """float [N, C, H, W] -> the same. N may differ from process to process."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return super().forward(input)
        x = input.float()
        count = x.new_tensor([x.numel() / x.shape[1]])
        sums = summed(torch.cat([x.sum((0, 2, 3)), count]))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        # Squares of centred values: the mean of squares minus the squared mean would lose digits.
        centred = x - mean[:, None, None]
        variance = summed(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum or 0.1)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum or 0.1)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
        scale = (variance + self.eps).rsqrt() * self.weight
        out = centred * scale[:, None, None] + self.bias[:, None, None]
        return out.to(input.dtype)


def share_batch_norms(network: nn.Module, device: torch.device) -> None:
    """Replace each batch norm of the network by one over the shares of all processes, with the same
    parameters and buffers under the same names.

    Raises UsageError for other kinds of batch norm, which networks of timm have.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, _shared(child, device))
            elif isinstance(child, nn.modules.batchnorm._BatchNorm):
                raise UsageError(
                    f"This network's {type(child).__name__} cannot be shared by several processes. "
                    "Train it in one, without torchrun."
                )


def _shared(norm: nn.BatchNorm2d, device: torch.device) -> nn.Module:
    if device.type == "cuda":
        shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(norm)  # type: ignore[no-untyped-call]
        return shared
    on_cpu = SharedBatchNorm2d(norm.num_features, norm.eps, norm.momentum)
    on_cpu.load_state_dict(norm.state_dict())
    return on_cpu.to(norm.weight.device)
