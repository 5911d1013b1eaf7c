"""The zoo: the networks of the papers by name, with their published weights.

This package has the networks alone. `create` and `find`, which also use weights and timm's
networks, are in `weights/zoo.py` and are exported here for users.
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
