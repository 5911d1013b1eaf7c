"""All routes of the studio, with values that no page sends: a sentence, never a failure."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.utils import get_openapi
from fastapi.testclient import TestClient

from eyespot.studio import project_routes
from eyespot.studio.app import create_app

HOME = "http://127.0.0.1:8765"
HALF = "a\ud800"
"""Half a character, which JSON can say and UTF-8 cannot."""
PLACES = ("-1", str(2**63), "9" * 5000, "%ed%a0%80", "1e400")
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 2**63, 10**30, float("nan"), "", HALF, "\0", "x" * 20_000),
    *([], {}, [HALF], {HALF: 1}, [2**63]),
)
BODIES = (b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5_000, b'"\\ud800"', b"9" * 10_000)
KIND = {"Content-Type": "application/json"}


class Room:
    """A studio with a project of one class, and the routes that it says it has."""

    def __init__(self) -> None:
        app = create_app("secret", 8765)
        self.schema: dict[str, Any] = get_openapi(title="", version="", routes=app.app.routes)  # type: ignore[attr-defined]
        headers = {"Origin": HOME}
        self.client = TestClient(app, base_url=HOME, headers=headers, raise_server_exceptions=False)
        self.client.get("/?token=secret")
        made = self.client.post("/api/projects", json={"name": "mugs"}).json()["id"]
        one = self.client.post(f"/api/projects/{made}/classes", json={"name": "mug"}).json()["id"]
        self.known = {"id": made, "class_id": one, "photo": "1", "name": "nothing"}

    def routes(self) -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
        """Method, path, one good body by field, and the names of the query."""
        for path, methods in self.schema["paths"].items():
            for method, about in methods.items():
                content = about.get("requestBody", {}).get("content", {})
                fields = self._resolve(content.get("application/json", {}).get("schema", {}))
                good = {
                    name: self._example(field)
                    for name, field in fields.get("properties", {}).items()
                }
                asked = [one["name"] for one in about.get("parameters", ()) if one["in"] == "query"]
                yield method.upper(), path, good, asked

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self.schema["components"]["schemas"][name] if name else schema
        return found

    def _example(self, field: dict[str, Any]) -> object:
        field = self._resolve(field.get("anyOf", [field])[0])
        if "enum" in field:
            return field["enum"][0]
        examples = {"string": "a", "integer": 1, "number": 1.0, "boolean": True, "object": {}}
        return examples.get(
            field.get("type", ""), [[1]] if "items" in field.get("items", {}) else [1]
        )

    def place(self, path: str, **odd: str) -> str:
        return re.sub(r"{(\w+)}", lambda name: {**self.known, **odd}[name[1]], path)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setattr(project_routes, "WAIT", 0.0)
    room = Room()
    yield room
    room.client.delete(f"/api/projects/{room.known['id']}")


def check(room: Room, method: str, place: str, body: object, told: object = None) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = room.client.request(method, place, content=content, headers=KIND)
    about = (method, place[:200], repr(body)[:200], answer.text[:200])
    assert answer.status_code < 500, about
    if answer.status_code >= 400:
        assert answer.json()["error"], about


def test_odd_places(room: Room) -> None:
    count = 0
    for method, path, good, asked in room.routes():
        for odd in PLACES:
            for name in re.findall(r"{(\w+)}", path):
                check(room, method, room.place(path, **{name: odd}), good)
            for name in asked:
                rest = "" if name == "name" else "&name=1"
                check(room, method, f"{room.place(path)}?{name}={odd}{rest}", good)
            count += 1
    assert count > 30 * len(PLACES)


@pytest.mark.slow
def test_odd_bodies(room: Room) -> None:
    count = 0
    for method, path, good, _ in room.routes():
        place = f"{room.place(path)}?name=1"
        for name in good:
            for value in VALUES:
                check(room, method, place, {**good, name: value})
                count += 1
        if good:
            for body in (*VALUES, *BODIES, {**good, HALF: 1}):
                check(room, method, place, body)
    assert count > 30 * len(VALUES)
