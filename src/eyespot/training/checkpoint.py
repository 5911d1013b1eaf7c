"""Checkpoints: the state of a training run in a safetensors file, with facts in its header.

The order of images, augmentation and dropout follow from the seed and the number of the step, so a
checkpoint holds only the weights, the optimiser's state and that number.
"""

import contextlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from eyespot.atomic import write_atomically
from eyespot.errors import TrainingError
from eyespot.files import expect_file
from eyespot.shown import shown

FORMAT = 2
ODD = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
"""Exceptions for facts that no run writes."""
LAST, BEST = "last.safetensors", "best.safetensors"
"""Files in the folder of a run: the state to resume from, and the best weights."""


@dataclass(frozen=True)
class Checkpoint:
    """`tensors`: "model.NAME", "average.NAME", "optimiser.INDEX.NAME". `facts`: the plan, the
    classes, the photos, the step, the best validation accuracy so far."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `name` and a dot, without it."""
        start = f"{name}."
        return {k.removeprefix(start): v for k, v in self.tensors.items() if k.startswith(start)}


def write_checkpoint(
    path: Path,
    facts: dict[str, Any],
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer | None = None,
) -> None:
    """Write a checkpoint atomically. Raises TrainingError if it cannot be written; an older file
    then stays as it was."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    if optimiser is not None:
        for index, memory in optimiser.state_dict()["state"].items():
            for name, value in memory.items():
                if value is not None:
                    tensors[f"optimiser.{index}.{name}"] = torch.as_tensor(value)
    header = {"eyespot-checkpoint": json.dumps({"format": FORMAT, **facts})}
    content = save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, header)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise TrainingError(
            f"The checkpoint {path} cannot be written ({error.strerror}); the last one is "
            "unchanged. Make room there, and run the same command again."
        ) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises TrainingError if the file is missing, damaged or another kind."""
    try:
        expect_file(path)
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["eyespot-checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        _check(facts)
    except (OSError, SafetensorError, *ODD) as error:
        raise TrainingError(
            f"{path} is not a complete checkpoint of eyespot ({error}). To start again, delete "
            f"{path.with_name(LAST)}."
        ) from error
    return Checkpoint(tensors, facts)


def _check(facts: dict[str, Any]) -> None:
    """Raise LookupError, TypeError or ValueError for facts that no run writes."""
    if facts["format"] != FORMAT:
        raise ValueError(f"its format is {shown(facts['format'])}, not {FORMAT}")
    sound = {
        "plan": isinstance(facts["plan"], dict),
        "plan's precision": isinstance(facts["plan"]["precision"], str),
        "classes": all(isinstance(name, str) for name in facts["classes"]),
        "step": _is_count(facts["step"]),
        "stale": _is_count(facts["stale"]) and facts["stale"] <= facts["step"],
        "best": facts["best"] is None or 0 <= facts["best"] <= 1,
        "running": facts["running"].keys() == {"loss", "correct", "images"}
        and math.isfinite(facts["running"]["loss"])
        and _is_count(facts["running"]["correct"])
        and _is_count(facts["running"]["images"]),
    }
    if odd := [name for name, good in sound.items() if not good]:
        raise ValueError(f"its {odd[0]} is not valid")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def load_weights(checkpoint: Checkpoint, path: Path, model: nn.Module) -> None:
    """Load the averaged weights, or else the network's, into `model`. Raises TrainingError if they
    do not fit."""
    with _fitting(path):
        model.load_state_dict(checkpoint.part("average") or checkpoint.part("model"))


def restore(
    checkpoint: Checkpoint,
    path: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Restore a checkpoint's tensors in place. Raises TrainingError if they do not fit."""
    with _fitting(path):
        model.load_state_dict(checkpoint.part("model"))
        kept = checkpoint.part("average")
        if {name: value.shape for name, value in kept.items()} != {
            name: value.shape for name, value in average.items()
        }:
            raise ValueError("its averaged weights have other names or shapes")
        for name, value in kept.items():
            average[name].copy_(value)
        states: dict[int, dict[str, Tensor]] = {}
        for key, value in checkpoint.part("optimiser").items():
            index, _, name = key.partition(".")
            states.setdefault(int(index), {})[name] = value
        _check_memory(states, optimiser)
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": states, "param_groups": groups})


def _check_memory(states: dict[int, dict[str, Tensor]], optimiser: torch.optim.Optimizer) -> None:
    """Raise LookupError or ValueError for a state that would fail only in a step."""
    parameters = [weight for group in optimiser.param_groups for weight in group["params"]]
    sgd = isinstance(optimiser, torch.optim.SGD)
    names = {"momentum_buffer"} if sgd else {"step", "exp_avg", "exp_avg_sq"}
    for index, memory in states.items():
        if index < 0 or memory.keys() != names:
            raise ValueError(f"its optimiser has another state of weight {index}")
        for name, value in memory.items():
            if value.shape != (() if name == "step" else parameters[index].shape):
                raise ValueError(f"the {name} of weight {index} has another shape")


@contextlib.contextmanager
def _fitting(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, LookupError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(
            f"{path} belongs to another network or optimiser ({reason}). Train into another "
            f"folder, or delete {path.with_name(LAST)} to start again."
        ) from error
