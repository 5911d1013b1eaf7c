"""This process among its fellows, where torchrun has started several."""

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
def together() -> Iterator[None]:
    """Within it, the processes that torchrun has started know each other: with nccl and a GPU each
    where there are GPUs, else with gloo.

    An error that all of them meet is told by one on each machine. Raises UsageError if there are
    fewer GPUs than processes, TrainingError if another process has ended.
    """
    if not {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"} <= os.environ.keys():
        yield
        return
    here = int(os.environ["LOCAL_RANK"])
    try:
        if torch.cuda.is_available():
            _take_gpu(here)
        _meet()
        yield
        gc.collect()  # what still averages gradients must go before the group does
        dist.destroy_process_group()  # after an error it could wait for those that are gone
    except (EyespotError, KeyboardInterrupt) as error:
        if here:
            _let_the_first_speak()
            raise SystemExit(130 if isinstance(error, KeyboardInterrupt) else 1) from error
        raise
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        if here:
            _let_the_first_speak()
            raise SystemExit(1) from error
        raise TrainingError(
            "Another process of this run has ended, so this one does. Give the same command "
            "again, or let torchrun do so: --max-restarts 3"
        ) from error


def _meet() -> None:
    """Begin the group of processes. Those that torchrun starts after others have ended find the
    addresses of these in the same store (github.com/pytorch/pytorch, issue 135712): each
    attempt has a part of its own."""
    store, rank, world_size = next(rendezvous("env://"))
    attempt = store.add(f"eyespot/{rank}", 1)
    own_part = dist.PrefixStore(f"eyespot/{attempt}", store)  # type: ignore[attr-defined]
    dist.init_process_group(
        "nccl" if torch.cuda.is_available() else "gloo",
        store=own_part,
        rank=rank,
        world_size=world_size,
    )


def _let_the_first_speak() -> None:
    """torchrun ends all processes as soon as one has ended, even in the middle of a word."""
    time.sleep(5)


def _take_gpu(number: int) -> None:
    if number >= torch.cuda.device_count():
        raise UsageError(
            f"Expected a GPU for each process, found {torch.cuda.device_count()} on this machine. "
            f"Start as many: torchrun --nproc-per-node {torch.cuda.device_count()}"
        )
    torch.cuda.set_device(number)


def count() -> int:
    """How many processes work on this run."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0. Number 0 alone writes and speaks."""
    return dist.get_rank() if dist.is_initialized() else 0


def neighbours() -> int:
    """How many of them share this machine, its cores and its memory."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if dist.is_initialized() else 1


def share(number: int) -> slice:
    """Of `number` things in a row those that are this process's; shares differ by one at most."""
    return slice(rank() * number // count(), (rank() + 1) * number // count())


def total(values: Sequence[float]) -> list[float]:
    """Each value's sum over all processes."""
    if count() == 1:
        return list(values)
    sums = torch.tensor(values, dtype=torch.float64, device=_device())
    dist.all_reduce(sums)
    return [float(value) for value in sums.cpu()]


def from_first(make: Callable[[], T]) -> T:
    """What `make` gives in the first process, for all of them; the others do not call it."""
    if count() == 1:
        return make()
    made = [make() if rank() == 0 else None]
    dist.broadcast_object_list(made, device=_device())
    return made[0]  # type: ignore[return-value]


def of_all(items: Sequence[T]) -> list[T]:
    """The items of all processes, in their order."""
    if count() == 1:
        return list(items)
    gathered: list[list[T]] = [[] for _ in range(count())]
    dist.all_gather_object(gathered, list(items))
    return [item for part in gathered for item in part]


def summed(values: Tensor) -> Tensor:
    """The sum over all processes, in each of them; gradients come back from all."""
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
        # What each has put in counts in the sum of every other.
        return _Sum.forward(ctx, gradient)


def _device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
