"""The routes of Teach: from an empty project to an exported classifier."""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from eyespot.studio import project_routes
from eyespot.studio.app import create_app
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.task import load
from tests.pictures import patches

HOME = "http://127.0.0.1:8765"
OWN = {"Origin": HOME}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[TestClient]:
    monkeypatch.setenv("EYESPOT_PROJECTS", str(tmp_path / "projects"))
    monkeypatch.setattr(project_routes, "WAIT", 60.0)
    client = TestClient(create_app("secret", 8765), base_url=HOME, headers=OWN)
    client.get("/?token=secret")
    yield client
    for about in client.get("/api/projects").json()["projects"]:
        client.delete(f"/api/projects/{about['id']}")


def photos(name: str, count: int) -> list[bytes]:
    files = []
    for patch in patches(name, count, side=64):
        out = io.BytesIO()
        Image.fromarray(patch).save(out, "PNG")
        files.append(out.getvalue())
    return files


def add_class(client: TestClient, project: str, name: str, files: list[bytes]) -> str:
    class_id: str = client.post(f"{project}/classes", json={"name": name}).json()["id"]
    for number, file in enumerate(files):
        added = client.post(
            f"{project}/classes/{class_id}/photos", params={"name": f"{number}"}, content=file
        )
        assert len(added.json()["photos"]) == 1
    return class_id


def settled(client: TestClient, project: str) -> dict[str, Any]:
    """The state once training and evaluation are complete."""
    known, seen = client.get(project).json(), -1
    while True:
        state: dict[str, Any] = client.get(project, params={"seen": seen}).json()
        assert not state["error"], state["error"]
        trained = state["trained"]
        if trained and trained["version"] == state["version"] and not state["busy"]:
            return state
        seen = state["number"]
        assert known["name"] == state["name"]


def test_from_nothing_to_a_classifier(client: TestClient, tmp_path: Path) -> None:
    project = f"/api/projects/{client.post('/api/projects', json={'name': 'Stones'}).json()['id']}"
    assert "Add two classes" in settled(client, project)["trained"]["needed"]
    live = f"ws://127.0.0.1:8765{project}/live"
    with client.websocket_connect(live) as socket:
        socket.send_bytes(photos("brick", 1)[0])
        assert "Add two classes" in socket.receive_json()["needed"]
    brick, gravel = photos("brick", 8), photos("gravel", 8)
    first = add_class(client, project, "brick", brick[:7])
    second = add_class(client, project, "gravel", gravel[:7])
    state = settled(client, project)
    assert [(of["id"], of["name"], len(of["photos"])) for of in state["classes"]] == [
        (first, "brick", 7),
        (second, "gravel", 7),
    ]
    assert state["trained"]["classes"] == ["brick", "gravel"]
    assert state["trained"]["evaluation"]["accuracy"] > 0.9
    with client.websocket_connect(live) as socket:
        socket.send_bytes(gravel[7])
        answer = socket.receive_json()
        assert answer["version"] == state["version"]
        best = max(answer["classes"], key=lambda of: of["probability"])
        assert best["name"] == "gravel"
        similar = [one["photo"] for one in answer["similar"]]
        assert set(similar) <= set(state["classes"][1]["photos"])
        socket.send_bytes(b"not a photo")
        assert "error" in socket.receive_json()
    thumbnail = client.get(f"{project}/thumbnails/{similar[0]}")
    assert Image.open(io.BytesIO(thumbnail.content)).size == (96, 96)
    removed = client.get(f"{project}/thumbnails/{1 + max(similar)}000")  # a browser asks a bit late
    assert (removed.status_code, removed.content) == (204, b"")

    taken = client.get(f"{project}/classifier.eyespot")
    assert 'filename="Stones.eyespot"' in taken.headers["content-disposition"]
    (tmp_path / "stones.eyespot").write_bytes(taken.content)
    assert load(tmp_path / "stones.eyespot").predict(gravel[7]).top[0][0] == "gravel"
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{project}/photos.zip").content))
    assert sum(name.startswith("brick/") for name in archive.namelist()) == 7
    assert b"<html" in client.get(f"{project}/report.html").content

    for name, content in (("a.zip", archive.fp), ("b.eyespot", io.BytesIO(taken.content))):
        assert content is not None
        content.seek(0)
        imported = client.post(
            "/api/projects/import", params={"name": name}, content=content.read()
        ).json()
        assert imported["photos"] == 14
        again = client.get(f"/api/projects/{imported['id']}").json()
        assert [of["name"] for of in again["classes"]] == ["brick", "gravel"]


def test_a_classifier_is_exported_as_onnx(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = f"/api/projects/{client.post('/api/projects', json={'name': 'Stones'}).json()['id']}"
    assert client.get(f"{project}/classifier.onnx").status_code == 400
    for name in ("brick", "gravel"):
        add_class(client, project, name, photos(name, 3))
    settled(client, project)
    exported: list[tuple[str, ...]] = []

    def export_file(classifier: Classifier, path: Path) -> None:
        exported.append(classifier.classes)
        path.write_bytes(b"the file")

    with monkeypatch.context() as patch:
        patch.setattr("eyespot.export.write.export_file", export_file)
        taken = client.get(f"{project}/classifier.onnx")
    assert taken.content == b"the file"
    assert 'filename="Stones.onnx"' in taken.headers["content-disposition"]
    assert exported == [("brick", "gravel")]
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused = client.get(f"{project}/classifier.onnx")
    assert refused.status_code == 400
    assert "eyespot[export]" in refused.text


def test_changes_and_undo(client: TestClient) -> None:
    project = f"/api/projects/{client.post('/api/projects', json={'name': 'x'}).json()['id']}"
    one = add_class(client, project, "one", photos("brick", 3))
    two = add_class(client, project, "two", photos("gravel", 2))
    (_, _, last) = numbers = client.get(project).json()["classes"][0]["photos"]

    def counts() -> dict[str, int]:
        state = client.get(project).json()
        return {of["name"]: len(of["photos"]) for of in state["classes"]}

    assert client.post(f"{project}/remove", json={"photos": numbers[:2]}).status_code == 204
    assert counts() == {"one": 1, "two": 2}
    client.post(f"{project}/move", json={"photos": [last], "to": two})
    assert counts() == {"one": 0, "two": 3}
    client.patch(f"{project}/classes/{one}", json={"name": "uno"})
    client.patch(f"{project}/classes/{one}", json={"enabled": False})
    assert client.get(project).json()["undo"] == "disabling uno"
    client.delete(f"{project}/classes/{two}")
    assert counts() == {"uno": 0}
    for _ in range(5):
        assert client.post(f"{project}/undo").json()["undone"]
    assert counts() == {"one": 3, "two": 2}
    client.patch(project, json={"name": "y"})
    assert client.get(project).json()["name"] == "y"


def test_a_page_that_knows_all_waits(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    project = f"/api/projects/{client.post('/api/projects', json={'name': 'x'}).json()['id']}"
    state = settled(client, project)
    known = {"seen": state["number"], "version": state["version"]}
    monkeypatch.setattr(project_routes, "WAIT", 0.05)
    assert "classes" not in client.get(project, params=known).json()
    client.post(f"{project}/classes", json={"name": "new"})
    assert [of["name"] for of in client.get(project, params=known).json()["classes"]] == ["new"]


def test_projects_are_listed_duplicated_deleted_and_restored(client: TestClient) -> None:
    made = client.post("/api/projects", json={"name": "<b>mine</b>"}).json()["id"]
    copy = client.post(f"/api/projects/{made}/duplicate").json()["id"]
    names = {about["id"]: about["name"] for about in client.get("/api/projects").json()["projects"]}
    assert names == {made: "<b>mine</b>", copy: "<b>mine</b> (copy)"}
    client.delete(f"/api/projects/{made}")
    found = client.get("/api/projects").json()
    assert [about["id"] for about in found["projects"]] == [copy]
    assert [about["id"] for about in found["deleted"]] == [made]
    assert client.get(f"/api/projects/{made}").status_code == 404
    client.post(f"/api/projects/{made}/restore")
    assert client.get(f"/api/projects/{made}").json()["name"] == "<b>mine</b>"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("photo.jpg", b"", "Expected a .zip"),
        ("broken.zip", b"PK\x03\x04 and no more", "zip"),
        ("broken.eyespot", b"nothing", "eyespot"),
    ],
)
def test_files_that_cannot_be_imported_are_reported(
    client: TestClient, name: str, content: bytes, message: str
) -> None:
    answer = client.post("/api/projects/import", params={"name": name}, content=content)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert client.get("/api/projects").json()["projects"] == []


def test_a_text_named_jpg_is_skipped(client: TestClient) -> None:
    project = f"/api/projects/{client.post('/api/projects', json={'name': 'x'}).json()['id']}"
    one = add_class(client, project, "one", photos("brick", 1))
    added = client.post(
        f"{project}/classes/{one}/photos", params={"name": "aunt.jpg"}, content=b"Dear aunt"
    )
    assert added.status_code == 200
    assert added.json()["skipped"][0]["name"] == "aunt.jpg"
    assert len(client.get(project).json()["classes"][0]["photos"]) == 1
    for bad in ("nothing", "../../etc"):
        assert client.post(f"{project}/classes/{bad}/photos?name=x").status_code in (404, 405)
