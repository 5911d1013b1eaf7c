"""Routes of the zoo: the table of networks, and one of them layer by layer."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from eyespot.features.networks import facts_of
from eyespot.models.registry import NETWORKS, find

router = APIRouter(prefix="/api/zoo")


@router.get("")
def networks() -> list[dict[str, Any]]:
    """All networks, as `eyespot zoo --json` gives them, and the family of each."""
    return [{**row, "family": _family(row["name"])} for row in facts_of(list(NETWORKS))]


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """One network and its layers, in the order they run, each with the stage it belongs to."""
    from eyespot.models.anatomy import dissect

    layers, _ = dissect(find(name).name)
    return {**facts_of([name])[0], "layers": [asdict(layer) for layer in layers]}


def _family(name: str) -> str:
    """Networks of one paper's file."""
    return find(name).module.rpartition(".")[2]
