"""A network for the studio that is quick and needs no download."""

from pathlib import Path

import pytest
import torch

from eyespot.features.backbone import Backbone, load_backbone
from eyespot.models import create, find
from eyespot.models.importers import write_weights
from eyespot.models.weights import Pretrained


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a resnet20 that has learnt nothing: what it says of surfaces differs anyway."""
    torch.manual_seed(0)
    about = find("resnet20")
    path = tmp_path_factory.mktemp("network") / "resnet20.safetensors"
    known = Pretrained(path, "store", about.preprocessing, (), "0" * 64)
    return write_weights(path, about, create("resnet20").state_dict(), known, "a test")


@pytest.fixture
def backbone(network: Path) -> Backbone:
    return load_backbone(str(network))
