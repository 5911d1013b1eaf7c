"""Lines that people copy."""

import io
import json
import sys
from pathlib import Path

import pytest

from eyespot.cli.show import command, json_text


def test_what_is_shown_can_be_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "eyespot"
    script.write_text("")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert command() == str(script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command() == "eyespot"
    monkeypatch.setattr(sys, "argv", ["/usr/lib/python3/pytest"])
    assert command() == "eyespot"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_json_says_the_same_in_every_encoding(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"label": "Händchen 猫", "odd": "\x1b\x7f\x9b\udcff"}
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    monkeypatch.setattr(sys, "stdout", stream)
    text = json_text(value)
    assert json.loads(text.encode(encoding, "replace").decode(encoding)) == value
    assert not set(text) & set("\x1b\x7f\x9b\udcff")
    if encoding == "utf-8":
        assert "Händchen 猫" in text
