"""A taught classifier's file, and somebody who asks a server of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from eyespot.serve.app import create_app
from eyespot.serve.settings import Limits, Settings
from eyespot.serve.shelf import Served
from eyespot.tasks.classification.teach import teach
from tests.pictures import write_folder

PATIENCE = 600.0
"""Seconds after which what takes so long hangs."""
HOME = "http://127.0.0.1:8000"


class Asker(TestClient):
    """Somebody who asks, and who may look behind the counter."""

    def served(self, name: str = "surfaces") -> Served:
        found = self.app._app.state.routes.shelf.get(name)  # type: ignore[attr-defined]
        assert isinstance(found, Served)
        return found


def model_of(served: Served) -> Any:
    """The served classifier."""
    return served.model


@contextmanager
def asking(
    *files: Path, keys: tuple[bytes, ...] = (), local: bool = True, **limits
) -> Iterator[Asker]:
    """A server of these files in this process. It gives up on no request, unless a test says so:
    a busy machine is no fault of the server."""
    app = create_app(
        Settings(files, keys, local, Limits(**{"seconds": PATIENCE, **limits}), decoders=1)
    )
    with Asker(app, base_url=HOME, raise_server_exceptions=False) as asker:
        yield asker


@pytest.fixture(scope="session")
def surfaces(
    session_cache: Path, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The file of a classifier that tells brick from grass."""
    folder = tmp_path_factory.mktemp("surfaces")
    path = folder / "surfaces.eyespot"
    teach(str(write_folder(folder / "photos", 8))).classifier.save(path)
    return path


@pytest.fixture(scope="module")
def asker(surfaces: Path) -> Iterator[Asker]:
    with asking(surfaces, photos=30) as asker:
        yield asker
