"""What the page of Boxes calls."""

import io
import zipfile

from fastapi.testclient import TestClient

from tests.studio.boxes.test_box_projects import photos


def test_from_photos_to_an_export(client: TestClient) -> None:
    id = client.post("/api/boxes", json={"name": "Cells"}).json()["id"]
    path = f"/api/boxes/{id}"
    rbc = client.post(f"{path}/classes", json={"name": "RBC"}).json()["id"]
    for name, data in photos(2):
        client.post(f"{path}/photos", params={"name": name}, content=data)
    state = client.get(path).json()
    first = state["photos"][0]
    assert (first["width"], first["height"], first["done"], first["boxes"]) == (60, 40, False, 0)
    assert state["training"]["needed"].startswith("0 photos of 5 done")
    box = {"class_id": rbc, "xmin": 1, "ymin": 2, "xmax": 30, "ymax": 20}
    boxes = f"{path}/photos/{first['id']}/boxes"
    assert client.put(boxes, json={"boxes": [box], "done": True}).status_code == 204
    assert client.get(boxes).json() == {"boxes": [box | {"ignored": False}], "done": True}
    assert client.get(f"{path}/photos/{first['id']}").headers["content-type"] == "image/jpeg"
    assert client.get(f"{path}/photos/{first['id']}/proposals").json() == {"boxes": []}
    with client.websocket_connect(f"ws://127.0.0.1:8765{path}/live") as socket:
        socket.send_bytes(photos(1)[0][1])
        assert socket.receive_json() == {"boxes": []}
    archive = client.get(f"{path}/boxes.zip", params={"to": "yolo"})
    assert "Cells%20yolo.zip" in archive.headers["content-disposition"]
    names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert names == ["data.yaml", "images/gravel_0.png", "labels/gravel_0.txt"]
    imported = client.post(
        "/api/boxes/import", params={"name": "again.zip"}, content=archive.content
    ).json()
    assert imported["photos"] == 1
    assert "read as YOLO" in imported["note"]
    assert client.post(f"{path}/undo").json() == {"undone": "changing gravel 0.png"}


def test_faults_are_sentences(client: TestClient) -> None:
    id = client.post("/api/boxes", json={"name": "Cells"}).json()["id"]
    path = f"/api/boxes/{id}"
    photo = client.post(f"{path}/photos", params={"name": "a.png"}, content=photos(1)[0][1])
    boxes = f"{path}/photos/{photo.json()['photos'][0]}/boxes"
    for body in ('{"boxes": [[1]], "done": true}', '{"boxes": []}', '{"done": true}'):
        assert client.put(boxes, content=body).status_code == 400
    assert "no detector yet" in client.get(f"{path}/detector.eyespot").json()["error"]
    assert client.get(f"/api/projects/{id}").status_code == 404
    mugs = client.post("/api/projects", json={"name": "Mugs"}).json()["id"]
    assert client.get(f"/api/boxes/{mugs}").status_code == 404
    assert client.post("/api/boxes/import", params={"name": "a.rar"}).status_code == 400
