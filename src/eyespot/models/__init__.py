"""The zoo: the networks of the papers by name, exact, with their published weights."""

from eyespot.models.catalogue import NETWORKS, Network
from eyespot.models.registry import create, find

__all__ = ["NETWORKS", "Network", "create", "find"]
