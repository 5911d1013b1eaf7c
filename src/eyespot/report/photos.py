"""Photos, duplicates and facts as the pages of a report and of a review show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eyespot.features.backbone import Backbone
from eyespot.features.extract import Features
from eyespot.report.html import data_uri
from eyespot.shown import counted

GALLERY = 24
"""Photos in a gallery."""
GROUPS, PER_GROUP = 12, 6
"""Groups of duplicates on a page, and photos of each."""


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of a page. `labels`: the class name of each, "" without one."""

    features: Features
    labels: Sequence[str]

    def item(self, index: int, **more: Any) -> dict[str, Any]:
        """One photo for a template."""
        return {
            "src": data_uri(self.features.thumbnails[index]),
            "name": self.features.names[index],
            "label": self.labels[index],
            **more,
        }

    def duplicates(self, groups: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Groups of duplicates for the macro `duplicates`."""
        shown = [
            {
                "photos": [self.item(index) for index in group[:PER_GROUP]],
                "more": max(0, len(group) - PER_GROUP),
            }
            for group in groups[:GROUPS]
        ]
        return {"groups": shown, "more": max(0, len(groups) - GROUPS)}


def common_facts(
    used: int, skipped: int, backbone: Backbone, seconds: Mapping[str, float] | None
) -> list[tuple[str, str]]:
    """Facts of every page about photos: term and text."""
    facts = [
        ("Photos", f"{counted(used)}, {skipped:,} skipped"),
        ("Backbone", f"{backbone.name} (weights {backbone.sha256[:12]})"),
    ]
    if seconds:
        times = (f"{name} {value:.1f} s" for name, value in seconds.items())
        facts.append(("Time", ", ".join(times)))
    return facts
