"""The zoo's routes say what the command line says."""

import pytest
from fastapi.testclient import TestClient

from eyespot.studio import zoo
from eyespot.studio.app import create_app
from eyespot.weights.zoo import NETWORKS, facts_of

HOME = "http://127.0.0.1:8765"


@pytest.fixture
def client() -> TestClient:
    client = TestClient(create_app("secret", 8765), base_url=HOME, raise_server_exceptions=False)
    client.get("/?token=secret")
    return client


def test_every_network_is_there(client: TestClient) -> None:
    rows = {row["name"]: row for row in client.get("/api/zoo").json()["networks"]}
    assert list(rows) == list(NETWORKS)
    assert [rows[name]["family"] for name in ("lenet5", "resnet20")] == ["lenet", "resnet_cifar"]
    assert rows["resnet18"]["macs"] == facts_of("resnet18").totals.macs


def test_one_network_layer_by_layer(client: TestClient) -> None:
    network = client.get("/api/zoo/resnet20").json()
    assert sum(layer["parameters"] for layer in network["layers"]) == network["parameters"]
    assert sum(layer["macs"] for layer in network["layers"]) == network["macs"]
    assert network["layers"][0]["receptive_field"] == 3


def test_what_is_not_there_is_said(client: TestClient) -> None:
    answer = client.get("/api/zoo/resnet2000")
    assert answer.status_code == 400
    assert "resnet2000" in answer.json()["error"]
    answer = client.get("/api/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"error": "This page does not exist."}


def test_what_nobody_expected_shows_no_traceback(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr(zoo, "facts_of", fail)
    answer = client.get("/api/zoo/resnet20")
    assert answer.status_code == 500
    assert "secret path" not in answer.text
    assert "The studio failed" in answer.json()["error"]


def test_files_beyond_the_pages_are_not_served(client: TestClient) -> None:
    assert client.get("/zoo.html").status_code == 200
    for address in ("/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/passwd"):
        assert client.get(address).status_code == 404
