"""What tests of the studio share: somebody who came by the printed address."""

import pytest
from fastapi.testclient import TestClient

from eyespot.studio.app import create_app

HOME = "http://127.0.0.1:8765"


@pytest.fixture
def client() -> TestClient:
    client = TestClient(create_app("secret", 8765), base_url=HOME, headers={"Origin": HOME})
    client.get("/?token=secret")
    return client
