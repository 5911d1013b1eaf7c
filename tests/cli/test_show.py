"""Lines that people copy."""

import sys
from pathlib import Path

import pytest

from eyespot.cli.show import command


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
