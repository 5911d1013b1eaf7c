"""Routes of the zoo: the table of networks, and the layers of one network."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from eyespot.features.networks import facts_of
from eyespot.weights.zoo import NETWORKS, find

router = APIRouter(prefix="/api/zoo")


@router.get("")
def networks() -> dict[str, Any]:
    """`networks`: the rows of `eyespot zoo --json` with their families."""
    return {
        "networks": [{**row, "family": _family(row["name"])} for row in facts_of(list(NETWORKS))]
    }


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """One network and its layers, in the order they run, each with its stage."""
    from eyespot.models.anatomy import dissect

    layers, _ = dissect(find(name))
    return {**facts_of([name])[0], "layers": [asdict(layer) for layer in layers]}


def _family(name: str) -> str:
    """The networks of one paper's file."""
    return find(name).module.rpartition(".")[2]
