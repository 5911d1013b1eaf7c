from pathlib import Path

import pytest

from eyespot.errors import CacheError, ProjectError
from eyespot.features.cache import cache_folder
from eyespot.studio.app import projects_folder
from eyespot.studio.projects import Store
from eyespot.user_folders import NOWHERE, user_folder
from eyespot.weights.store import store_folder


def test_a_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path))
    assert store_folder() == tmp_path


def test_somebody_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container's user without an entry in passwd."""

    def homeless(*name: str) -> str:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_cache_dir", homeless)
    monkeypatch.setattr("platformdirs.user_data_dir", homeless)
    for variable in ("EYESPOT_CACHE", "EYESPOT_WEIGHTS", "EYESPOT_PROJECTS"):
        monkeypatch.delenv(variable)
    assert user_folder("EYESPOT_CACHE") == NOWHERE
    assert not store_folder().exists()
    with pytest.raises(CacheError, match=r"no home folder, so no cache folder\. Set EYESPOT_CACHE"):
        cache_folder()
    with pytest.raises(ProjectError, match=r"no home.* Set EYESPOT_PROJECTS"):
        Store(projects_folder())
