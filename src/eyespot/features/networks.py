"""The table of networks: what they are made of, their published errors, their speed here."""

from collections.abc import Callable, Sequence
from typing import Any

from eyespot.features.facts import totals_of
from eyespot.features.speed import measured
from eyespot.weights.find import origin_of
from eyespot.weights.zoo import find


def facts_of(
    names: Sequence[str], progress: Callable[[int, int], None] = lambda done, total: None
) -> list[dict[str, Any]]:
    """A row for each network, as `eyespot zoo --json` gives it; None where nothing is known.

    Raises UsageError for an unknown name.
    """
    totals, speeds = totals_of(names, progress), measured()
    rows = []
    for network in map(find, names):
        paper, errors, speed = network.paper, network.errors, speeds.get(network.name)
        rows.append(
            {
                "name": network.name,
                "year": paper.year,
                "authors": paper.authors,
                "paper": paper.title,
                "dataset": network.dataset,
                "input_size": network.preprocessing.size,
                "depth": network.depth or None,  # nobody counted the layers of timm's
                **totals[network.name],
                "top1_error": errors and errors.top1,
                "top5_error": errors and errors.top5,
                "errors_source": errors and errors.source,
                "weights": origin_of(network),
                "images_per_second": speed and round(speed.images_per_second, 1),
                "latency": speed and round(speed.latency, 6),
                "engine": speed and speed.engine,
            }
        )
    return rows
