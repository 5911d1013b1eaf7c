"""What a method of detectors offers, and the table of them.

A new method is a file and a row here; its steps have rows in `explain.steps` and in
`export.detection.graph`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from eyespot.arrays import F32
from eyespot.errors import UsageError
from eyespot.evaluation.boxes import Detections
from eyespot.shown import shown

if TYPE_CHECKING:
    from torch import nn

    from eyespot.features.backbone import Backbone
    from eyespot.tasks.detection.embed import Embedded

METHODS = {
    "dense": "eyespot.tasks.detection.dense",
    "fast-rcnn": "eyespot.tasks.detection.fast_rcnn",
    "finetune": "eyespot.tasks.detection.finetune",
}
"""The module of each head, by the name of the method, and whose functions are those of `Method`."""
DENSE, FINETUNE, AUTO = "dense", "finetune", "auto"
TUNED_STEP = 5
"""Time of a step that trains stages of the backbone, in steps on frozen maps."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`width`: channels of the head. `steps`: of the optimiser, of `batch` photos each, on frozen
    maps; `tuned`: those after them in which stages of the backbone are trained, too. `seed`: of
    weights and order."""

    width: int
    steps: int
    batch: int = 4
    seed: int = 0
    tuned: int = 0

    @property
    def work(self) -> int:
        """In steps on frozen maps."""
        return self.steps + TUNED_STEP * self.tuned


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """`head`: in torch. `network`: the fine-tuned backbone as of `maps_module`; None: the frozen
    one."""

    head: "nn.Module"
    network: "nn.Module | None" = None


def photos_seen(photos: int) -> int:
    """Eight passes through a few hundred photos; few photos are seen more often, many less."""
    return min(max(8 * photos, 800), 8_000)


def trunk_shapes(channels: Sequence[int], width: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays of a head's `trunk`, by name; see `trunk.Trunk`."""
    found: dict[str, tuple[int, ...]] = {"trunk.norm.weight": (width,), "trunk.norm.bias": (width,)}
    for index, count in enumerate(channels):
        found |= {
            f"trunk.lateral.{index}.weight": (width, count, 1, 1),
            f"trunk.lateral.{index}.bias": (width,),
            f"trunk.mean{index}": (1, count, 1, 1),
            f"trunk.deviation{index}": (1, count, 1, 1),
        }
    return found


class Method(Protocol):
    """A head: from the frozen maps [N, C, h, w] at STRIDES to boxes. Its arrays are float32, by
    name; importing it imports no torch."""

    WORDS: str
    EXACT: bool
    """Whether the head needs float32: the corners of a box in bfloat16 are off by pixels."""

    def plan_for(self, photos: int) -> Plan:
        """The plan for so many training photos."""

    def fit(
        self,
        photos: "Sequence[Embedded]",
        backbone: "Backbone",
        classes: int,
        plan: Plan,
        progress: Callable[[int], None],
    ) -> Trained:
        """A head trained on the photos. The same plan and photos give the same head. `progress`:
        called with the work done since the last call, as `Plan.work` counts it."""

    def shapes(
        self, channels: Sequence[int], classes: int, width: int
    ) -> dict[str, tuple[int, ...]]:
        """The shapes of the head's arrays, by name."""

    def build(
        self, channels: Sequence[int], classes: int, width: int, arrays: Mapping[str, F32]
    ) -> "nn.Module":
        """The head in torch. Raises RuntimeError if the arrays do not fit."""

    def detections(self, *outputs: F32) -> Detections:
        """Detections in pixels of the input, the highest score first, from the head's outputs for
        one photo, without the first axis."""


def method_called(name: str) -> Method:
    """The head of a method. Raises UsageError for an unknown name."""
    if name not in METHODS:
        known = ", ".join((*METHODS, AUTO))
        raise UsageError(f"Expected a method of detectors, one of {known}, found {shown(name)}.")
    found: Any = import_module(METHODS[name])
    return cast(Method, found)


def with_arrays(head: "nn.Module", arrays: Mapping[str, F32]) -> "nn.Module":
    """A head in torch with its arrays, ready to detect. Raises RuntimeError if they do not fit."""
    import torch

    head.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return head.eval().requires_grad_(False)
