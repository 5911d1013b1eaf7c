"""The model card: README.md inside a detector's file."""

from eyespot.shown import percent, percent_interval
from eyespot.tasks.detection.manifest import Model
from eyespot.tasks.detection.method import method_called


def model_card(model: Model) -> str:
    """Markdown: what the detector finds, how well, and what it was made of."""
    metrics = model.metrics
    lines = [
        "# Detector",
        "",
        f"Finds {len(model.classes)} classes: {', '.join(model.classes)}.",
        "",
        f"Method: {method_called(model.method).WORDS} of {model.backbone.name}.",
    ]
    if metrics.get("ap50") is not None:
        interval = percent_interval(metrics["ap50_interval"])
        lines += [
            "",
            f"AP50 {percent(metrics['ap50'])} (95% CI {interval}, {metrics['count']:,} photos), "
            f"measured on {metrics['evaluated_on']}.",
        ]
    return "\n".join([*lines, ""])
