"""The method "finetune": a dense head, and the stages of the backbone under it, trained together;
see `finetune_fit`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eyespot.tasks.detection import dense
from eyespot.tasks.detection.dense import EXACT, build, detections, shapes
from eyespot.tasks.detection.method import Plan, Trained, photos_seen

if TYPE_CHECKING:
    from eyespot.features.backbone import Backbone
    from eyespot.tasks.detection.embed import Embedded

__all__ = ["EXACT", "WORDS", "build", "detections", "fit", "plan_for", "shapes"]

WORDS = "dense head (FCOS) on fine-tuned maps"
MOST_PASSES = 40
"""Times that each photo is seen while stages are trained."""


def plan_for(photos: int) -> Plan:
    """See `method.Method`."""
    plan = dense.plan_for(photos)
    return replace(plan, tuned=-(-min(photos_seen(photos), MOST_PASSES * photos) // plan.batch))


def fit(
    photos: "Sequence[Embedded]",
    backbone: "Backbone",
    classes: int,
    plan: Plan,
    progress: Callable[[int], None] = lambda done: None,
) -> Trained:
    """See `method.Method`."""
    from eyespot.tasks.detection.finetune_fit import fine_tune

    head = dense.fit(photos, backbone, classes, plan, progress).head
    return fine_tune(head, photos, backbone, plan, progress)
