"""The processes of a training run that torchrun has started."""

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from eyespot.errors import EyespotError, TrainingError, UsageError

T = TypeVar("T")


@contextmanager
def process_group() -> Iterator[None]:
    """A context in which torchrun's processes communicate: over nccl, with a GPU each, where there
    are GPUs, else over gloo.

    One process of each machine reports an error that all of them have. Raises UsageError if there
    are fewer GPUs than processes, TrainingError if another process has ended.
    """
    if not {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"} <= os.environ.keys():
        yield
        return
    here = int(os.environ["LOCAL_RANK"])
    try:
        if torch.cuda.is_available():
            _take_gpu(here)
        _join()
        yield
        gc.collect()  # objects that average gradients must go before the group
        dist.destroy_process_group()  # after an error it could wait for ended processes
    except (EyespotError, KeyboardInterrupt, RuntimeError) as error:
        own = isinstance(error, EyespotError | KeyboardInterrupt)
        if not (own or isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        if here:
            # torchrun ends all processes as soon as one has ended, even while it prints.
            time.sleep(5)
            raise SystemExit(130 if isinstance(error, KeyboardInterrupt) else 1) from error
        if own:
            raise
        raise TrainingError(
            "Another process of this run has ended, so this one ends too. Run the same command "
            "again, or let torchrun do it: --max-restarts 3"
        ) from error


def _join() -> None:
    """Join the group of processes, in a part of the store of this attempt.

    Restarted processes would find the addresses of ended ones (github.com/pytorch/pytorch, issue
    135712).
    """
    store, rank, world_size = next(rendezvous("env://"))
    attempt = store.add(f"eyespot/{rank}", 1)
    own_part = dist.PrefixStore(f"eyespot/{attempt}", store)  # type: ignore[attr-defined]
    dist.init_process_group(
        "nccl" if torch.cuda.is_available() else "gloo",
        store=own_part,
        rank=rank,
        world_size=world_size,
    )


def _take_gpu(number: int) -> None:
    if number >= torch.cuda.device_count():
        raise UsageError(
            f"Expected a GPU for each process, found {torch.cuda.device_count()} on this machine. "
            f"Start as many processes: torchrun --nproc-per-node {torch.cuda.device_count()}"
        )
    torch.cuda.set_device(number)


def count() -> int:
    """The number of processes of this run."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0. Only process 0 writes files and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_count() -> int:
    """The number of processes on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if dist.is_initialized() else 1


def share(number: int) -> slice:
    """This process's share of a sequence of length `number`; shares differ by one at most."""
    return slice(rank() * number // count(), (rank() + 1) * number // count())


def total(values: Sequence[float]) -> list[float]:
    """Each value's sum over all processes."""
    if count() == 1:
        return list(values)
    sums = torch.tensor(values, dtype=torch.float64, device=_device())
    dist.all_reduce(sums)
    return [float(value) for value in sums.cpu()]


def from_first(make: Callable[[], T]) -> T:
    """The result of `make` in the first process, for all; the others do not call it."""
    if count() == 1:
        return make()
    made = [make() if rank() == 0 else None]
    dist.broadcast_object_list(made, device=_device())
    return made[0]  # type: ignore[return-value]


def gather(items: Sequence[T]) -> list[T]:
    """The items of all processes, in the order of the processes."""
    if count() == 1:
        return list(items)
    gathered: list[list[T]] = [[] for _ in range(count())]
    dist.all_gather_object(gathered, list(items))
    return [item for part in gathered for item in part]


def summed(values: Tensor) -> Tensor:
    """The sum over all processes, in each of them; its gradient is summed, too."""
    out: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return out


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        out = values.clone()
        dist.all_reduce(out)
        return out

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        # Each process's input is a part of every process's sum.
        return _Sum.forward(ctx, gradient)


def _device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
