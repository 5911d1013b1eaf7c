"""The state of a training run in one file, written atomically: safetensors, facts in its header.

A run's chances (order of pictures, augmentation, dropout) follow from its seed and the number of
the step, so the weights, the optimiser's memory and that number are all there is to keep.
"""

import json
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

FORMAT = 1
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
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']}, not {FORMAT}")
    except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path} is no whole checkpoint of eyespot ({error}). To begin anew, delete "
            f"{path.with_name(LAST)}."
        ) from error
    return Checkpoint(tensors, facts)


def restore(
    checkpoint: Checkpoint,
    path: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Put a checkpoint's tensors back, in place. Raises TrainingError if they do not fit."""
    try:
        model.load_state_dict(checkpoint.part("model"))
        for name, value in checkpoint.part("average").items():
            average[name].copy_(value)
        states: dict[int, dict[str, Tensor]] = {}
        for key, value in checkpoint.part("optimiser").items():
            index, _, name = key.partition(".")
            states.setdefault(int(index), {})[name] = value
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": states, "param_groups": groups})
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(
            f"{path} belongs to another network or optimiser ({reason}). Train into another "
            "folder, or delete it to begin anew."
        ) from error
