"""Routes of the zoo: the table of networks, and one of them layer by layer."""

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from eyespot.features.networks import facts_of
from eyespot.weights.zoo import NETWORKS, find

router = APIRouter(prefix="/api/zoo")

PATIENCE = 0.3
"""Seconds after which a page is told how far its answer is."""


@router.get("")
def networks(start: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
    """`networks`, from that number on: as `eyespot zoo --json` gives them, and their families.

    What is not known yet takes half a minute for all, so an answer may end before the last
    network; `total` says how many there are.
    """
    rows: list[dict[str, Any]] = []
    begun = time.monotonic()
    for name in list(NETWORKS)[start:]:
        rows += [{**row, "family": _family(name)} for row in facts_of([name])]
        if time.monotonic() - begun > PATIENCE:
            break
    return {"networks": rows, "total": len(NETWORKS)}


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """One network and its layers, in the order they run, each with the stage it belongs to."""
    from eyespot.models.anatomy import dissect

    layers, _ = dissect(find(name))
    return {**facts_of([name])[0], "layers": [asdict(layer) for layer in layers]}


def _family(name: str) -> str:
    """Networks of one paper's file."""
    return find(name).module.rpartition(".")[2]
