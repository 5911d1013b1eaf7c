"""Classifiers and results as a notebook shows them. Every text is escaped."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

MOST_CLASSES = 20
FIGURE = (
    "display:inline-block;width:11em;margin:4px;vertical-align:top;"
    "font-size:smaller;overflow-wrap:anywhere"
)
"""Style of a photo with its caption: columns of one width."""


def accuracy(metrics: Mapping[str, Any]) -> str:
    """Accuracy with its 95% CI and the number of photos."""
    from eyespot.evaluation import percent, percent_interval

    interval = percent_interval(metrics["top1_interval"])
    return f"accuracy {percent(metrics['top1'])} (95% CI {interval}, n = {metrics['count']:,})"


def classifier_html(classes: Sequence[str], method: str, metrics: Mapping[str, Any]) -> str:
    """Classes, method and, where it was evaluated, the accuracy."""
    names = ", ".join(map(escape, classes[:MOST_CLASSES]))
    more = f" and {len(classes) - MOST_CLASSES:,} more" if len(classes) > MOST_CLASSES else ""
    rows = [(f"{len(classes):,} classes", names + more), ("Method", escape(method))]
    if "top1" in metrics:
        figures = accuracy(metrics).removeprefix("accuracy ")
        rows.append(("Accuracy", f"{figures} on {escape(str(metrics['evaluated_on']))}"))
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f'<table class="eyespot">{cells}</table>'


def photos_html(title: str, photos: Sequence[tuple[bytes, str]]) -> str:
    """Thumbnails, JPEG files, with their captions; nothing without photos."""
    if not photos:
        return ""
    figures = "".join(
        f'<figure style="{FIGURE}">'
        f'<img alt="" src="data:image/jpeg;base64,{b64encode(thumbnail).decode()}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for thumbnail, caption in photos
    )
    return f"<p>{escape(title)}</p>{figures}"
