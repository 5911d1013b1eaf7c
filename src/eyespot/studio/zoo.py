"""Routes of the zoo: the table of networks, and the layers of one network."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from eyespot.features.networks import network_rows
from eyespot.weights.zoo import NETWORKS, facts_of, find

router = APIRouter(prefix="/api/zoo")


@router.get("")
def networks() -> dict[str, Any]:
    """`networks`: the rows of `eyespot zoo --json`, each with the file of its paper as `family`."""
    rows = network_rows(NETWORKS)
    return {
        "networks": [{**row, "family": find(row["name"]).module.split(".")[-1]} for row in rows]
    }


@router.get("/{name}")
def network(name: str) -> dict[str, Any]:
    """One network and its layers, in the order they run, each with its stage."""
    layers = [asdict(layer) for layer in facts_of(name).layers]
    return {**network_rows([name])[0], "layers": layers}
