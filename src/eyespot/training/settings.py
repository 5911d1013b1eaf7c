"""Which settings of a plan have an effect on a run."""

from typing import Any

from eyespot.training.plan import OPTIONAL, Plan

OFF = (*OPTIONAL, "momentum", "nesterov", "label_smoothing", "average", "compile")
"""Settings that zero turns off."""


def unused_settings(plan: Plan, *, validated: bool, droppable: bool = True) -> dict[str, str]:
    """Names of settings without effect on this run, and the reason; "" for settings at zero.

    `validated`: whether there are validation photos. `droppable`: whether the network has dropout.
    """
    idle = dict.fromkeys((name for name in OFF if not getattr(plan, name)), "")
    if plan.optimiser != "sgd":
        idle |= dict.fromkeys(("momentum", "nesterov"), "only sgd has momentum")
    elif not plan.momentum:
        idle["nesterov"] = "the momentum is 0"
    if plan.accumulate == 1:
        idle["accumulate"] = ""
    if plan.augmentation == "none":
        idle["augmentation"] = ""
    if not droppable:
        idle["dropout"] = "the network has no dropout"
    if plan.patience and not validated:
        idle["patience"] = "there are no validation photos"
    elif plan.patience and plan.patience >= plan.epochs - 1:
        idle["patience"] = "the run has too few epochs to stop early"
    return idle


def used_settings(plan: Plan, *, validated: bool, droppable: bool = True) -> dict[str, Any]:
    """The settings with an effect, by their names in the plan, without the model."""
    idle = unused_settings(plan, validated=validated, droppable=droppable)
    return {
        name: value
        for name, value in plan.to_dict().items()
        if name != "model" and name not in idle
    }
