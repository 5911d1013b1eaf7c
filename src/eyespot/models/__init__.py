"""The zoo: the networks of the papers by name, exact, with their published weights.

This room holds the networks alone. `create` and `find`, which also know weights and timm's
networks, stand in `weights/zoo.py` and are named here for users.
"""

from typing import TYPE_CHECKING, Any

from eyespot.models.catalogue import NETWORKS, Network

if TYPE_CHECKING:
    from eyespot.weights.zoo import create, find

__all__ = ["NETWORKS", "Network", "create", "find"]


def __getattr__(name: str) -> Any:
    if name not in ("create", "find"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("eyespot.weights.zoo"), name)
