"""Rows of the table of networks: costs, published errors, weights, measured speed."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from eyespot.features.speed import measured
from eyespot.weights.find import origin_of
from eyespot.weights.zoo import facts_of, find


def network_rows(names: Iterable[str]) -> list[dict[str, Any]]:
    """A row for each network, as in `eyespot zoo --json`; None where a value is not known.

    Raises UsageError for an unknown name.
    """
    speeds = measured()
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
                "depth": network.depth or None,  # not known of timm's networks
                **asdict(facts_of(network.name).totals),
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
