"""Sizes of a Fast R-CNN head, and the shapes of its arrays."""

from collections.abc import Sequence

from eyespot.tasks.detection.method import trunk_shapes

ANCHORS = 6
"""Shapes at each position; the paper of the RPN has 9, at a stride of 16 pixels."""
POOLED = 7
"""Bins along each side of an RoI."""
HIDDEN = 256
"""Units of fc6 and fc7; the paper has 4,096, for maps of 512 channels."""


def shapes(channels: Sequence[int], classes: int, width: int) -> dict[str, tuple[int, ...]]:
    """See `method.Method`."""
    found = trunk_shapes(channels, width)
    found |= {"target_mean": (4,), "target_deviation": (4,), "rpn.shapes": (ANCHORS, 2)}
    for name, outputs, inputs in (
        ("rpn.hidden", width, (width, 3, 3)),
        ("rpn.objectness", ANCHORS, (width, 1, 1)),
        ("rpn.corrections", 4 * ANCHORS, (width, 1, 1)),
        ("fc6", HIDDEN, (width * POOLED**2,)),
        ("fc7", HIDDEN, (HIDDEN,)),
        ("classes", classes + 1, (HIDDEN,)),
        ("corrections", 4 * classes, (HIDDEN,)),
    ):
        found |= {f"{name}.weight": (outputs, *inputs), f"{name}.bias": (outputs,)}
    return found
