"""Which settings of a plan have an effect on a run."""

from typing import Any

from eyespot.training.plan import Plan

OFF = ("weight_decay", "l1", "max_norm", "warmup", "label_smoothing", "mixup", "cutmix", "average")
"""Settings that zero turns off, besides those with other reasons below."""


def unused_settings(plan: Plan, *, validated: bool, droppable: bool = True) -> dict[str, str]:
    """Names of settings without effect on this run, and the reason; "" for settings at zero.

    `validated`: whether there are validation photos. `droppable`: whether the network has dropout.
    """
    idle = dict.fromkeys((name for name in (*OFF, "clip") if not getattr(plan, name)), "")
    if plan.optimiser != "sgd":
        idle |= dict.fromkeys(("momentum", "nesterov"), "only sgd has momentum")
    elif not plan.momentum:
        idle |= {"momentum": "", "nesterov": "the momentum is 0"}
    elif not plan.nesterov:
        idle["nesterov"] = ""
    if plan.accumulate == 1:
        idle["accumulate"] = ""
    if not plan.compile:
        idle["compile"] = ""
    if plan.augmentation == "none":
        idle["augmentation"] = ""
    if not droppable:
        idle["dropout"] = "the network has no dropout"
    if not plan.patience:
        idle["patience"] = ""
    elif not validated:
        idle["patience"] = "there are no validation photos"
    elif plan.patience >= plan.epochs - 1:
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
