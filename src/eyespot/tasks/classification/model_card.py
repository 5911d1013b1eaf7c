"""The model card of a classifier: README.md of its file."""

from collections.abc import Mapping, Sequence
from typing import Any

from eyespot.features.backbone import Backbone
from eyespot.tasks.classification.manifest import Recipe


def model_card(
    classes: Sequence[str], backbone: Backbone, recipe: Recipe, metrics: Mapping[str, Any]
) -> str:
    """Classes, network, head and metrics as Markdown, for people who open the file."""
    from eyespot.evaluation import percent, percent_interval

    lines = [
        "# An eyespot classifier",
        "",
        f"Classes: {', '.join(classes)}.",
        "",
        f"- Network: {backbone.name}, weights sha256 {backbone.sha256}",
        f"- Head: {recipe.method} on {', '.join(recipe.blocks)}",
    ]
    if "top1" in metrics:
        lines += [
            f"- Accuracy {percent(metrics['top1'])} on {metrics['evaluated_on']} (95% CI "
            f"{percent_interval(metrics['top1_interval'])}, n = {metrics['count']:,})",
            f"- Calibration error (ECE): {metrics['ece']:.3f}",
        ]
    lines += [f"- Photos: {message}" for message in metrics.get("source", ())]
    lines += [
        "",
        "The metrics hold for photos like the training photos. Expect a lower accuracy on photos "
        "from another camera, place or season.",
        "",
        "Usage: `eyespot predict PHOTO -m NAME.eyespot`",
        "",
    ]
    return "\n".join(lines)
