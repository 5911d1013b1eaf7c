"""The state of a training run in one file, written atomically: safetensors, facts in its header.

A run's chances (order of pictures, augmentation, dropout) follow from its seed and the number of
the step, so the weights, the optimiser's memory and that number are all there is to keep.
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

FORMAT = 1
ODD = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)
"""What comes of facts that are not what a run writes."""
LAST, BEST = "last.safetensors", "best.safetensors"
"""In the folder of a run: its state, from which it goes on, and the weights that were best."""


@dataclass(frozen=True)
class Checkpoint:
    """`tensors`: "model.NAME", "average.NAME", "optimiser.INDEX.NAME". `facts`: the plan, the
    classes, the photos, the step, what was best so far."""

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
    """Raises TrainingError if it cannot be written; an older file is then as it was."""
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
            f"The state of the training cannot be kept in {path} ({error.strerror}); the last "
            "that was kept is as it was. Make room there, and give the same command again."
        ) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises TrainingError if the file is not there, damaged or none of these."""
    try:
        expect_file(path)
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["eyespot-checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        _check(facts)
    except (OSError, SafetensorError, *ODD) as error:
        raise TrainingError(
            f"{path} is no whole checkpoint of eyespot ({error}). To begin anew, delete "
            f"{path.with_name(LAST)}."
        ) from error
    return Checkpoint(tensors, facts)


def _check(facts: dict[str, Any]) -> None:
    """Raises LookupError, TypeError or ValueError for facts that no run writes."""
    if facts["format"] != FORMAT:
        raise ValueError(f"its format is {shown(facts['format'])}, not {FORMAT}")
    sound = {
        "plan": isinstance(facts["plan"], dict),
        "plan's precision": isinstance(facts["plan"]["precision"], str),
        "classes": all(isinstance(name, str) for name in facts["classes"]),
        "step": _is_count(facts["step"]),
        "stale": _is_count(facts["stale"]) and facts["stale"] <= facts["step"],
        "best": facts["best"] is None or 0 <= facts["best"] <= 1,
        "running": facts["running"].keys() == {"loss", "right", "seen"}
        and math.isfinite(facts["running"]["loss"])
        and _is_count(facts["running"]["right"])
        and _is_count(facts["running"]["seen"]),
    }
    if odd := [name for name, good in sound.items() if not good]:
        raise ValueError(f"no run writes such a {odd[0]}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def load_weights(checkpoint: Checkpoint, path: Path, model: nn.Module) -> None:
    """Put the weights that were averaged, or else the network's, into `model`. Raises
    TrainingError if they do not fit."""
    with _fitting(path):
        model.load_state_dict(checkpoint.part("average") or checkpoint.part("model"))


def restore(
    checkpoint: Checkpoint,
    path: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Put a checkpoint's tensors back, in place. Raises TrainingError if they do not fit."""
    with _fitting(path):
        model.load_state_dict(checkpoint.part("model"))
        kept = checkpoint.part("average")
        if {name: value.shape for name, value in kept.items()} != {
            name: value.shape for name, value in average.items()
        }:
            raise ValueError("its averages are of other weights")
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
    """Raises LookupError or ValueError for what would fail in a step only."""
    parameters = [weight for group in optimiser.param_groups for weight in group["params"]]
    sgd = isinstance(optimiser, torch.optim.SGD)
    names = {"momentum_buffer"} if sgd else {"step", "exp_avg", "exp_avg_sq"}
    for index, memory in states.items():
        if index < 0 or memory.keys() != names:
            raise ValueError(f"its optimiser remembers other things of weight {index}")
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
            f"folder, or delete {path.with_name(LAST)} to begin anew."
        ) from error
