"""Routes of the zoo: the table of networks, and the layers of one network."""

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from eyespot.features.networks import facts_of
from eyespot.weights.zoo import NETWORKS, find

router = APIRouter(prefix="/api/zoo")

PATIENCE = 0.3
"""Seconds after which a page gets the networks found so far."""


@router.get("")
def networks(start: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
    """`networks` from number `start` on, as in `eyespot zoo --json`, and their families.

    An answer may end before the last network; `total` is the number of networks.
    """
    rows: list[dict[str, Any]] = []
    began = time.monotonic()
    for name in list(NETWORKS)[start:]:
        rows += [{**row, "family": _family(name)} for row in facts_of([name])]
        if time.monotonic() - began > PATIENCE:
            break
    return {"networks": rows, "total": len(NETWORKS)}


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """One network and its layers, in the order they run, each with its stage."""
    from eyespot.models.anatomy import dissect

    layers, _ = dissect(find(name))
    return {**facts_of([name])[0], "layers": [asdict(layer) for layer in layers]}


def _family(name: str) -> str:
    """The networks of one paper's file."""
    return find(name).module.rpartition(".")[2]
