"""Lines that people copy, and that do nothing to their terminals."""

import io
import json
import logging
import re
import sys
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

import eyespot.cli
from eyespot.cli.main import app
from eyespot.cli.show import command, guard_terminal, json_text, progress, say
from eyespot.serve.logs import JsonLines


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


# --- what strangers wrote does nothing to a terminal ---------------------------------------------

ESCAPES = "\x1b]0;owned\x07\x9b31m\x7f\r\u202e"


def is_harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


def test_what_is_said_keeps_its_lines_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    say("two\nlines", 3, ESCAPES, end="!")
    assert capsys.readouterr().out.startswith("two\nlines 3 \\x1b]0;owned\\x07\\x9b31m\\x7f\\r")
    say(ESCAPES, file=sys.stderr)
    assert is_harmless(capsys.readouterr().err)


def test_what_is_logged_warned_of_and_raised_is_escaped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, name in ((warnings, "formatwarning"), (sys, "excepthook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    assert logging.lastResort is not None
    monkeypatch.setattr(logging.lastResort, "formatter", None)
    guard_terminal()
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "%s", (ESCAPES,), None)
    logging.lastResort.emit(record)
    sys.stderr.write(warnings.formatwarning(ESCAPES, UserWarning, f"{ESCAPES}.py", 1))
    sys.excepthook(ValueError, ValueError(ESCAPES), None)
    told = capsys.readouterr().err
    assert told.count("owned") >= 4
    assert is_harmless(told)


def test_lines_of_the_server_s_log_are_harmless_json() -> None:
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "%s", (ESCAPES,), None)
    record.facts = {"file": ESCAPES}
    line = JsonLines().format(record)
    assert is_harmless(line)
    assert json.loads(line)["event"] == json.loads(line)["file"] == ESCAPES


@pytest.mark.parametrize(
    "arguments",
    [
        [f"verb{ESCAPES}"],
        ["predict", f"{ESCAPES}.jpg", "--top", ESCAPES],
        ["zoo", "resnet18", ESCAPES],
        ["zoo", f"--{ESCAPES}"],
        ["zoo", ESCAPES],
        ["weights", ESCAPES, ESCAPES],
        ["evaluate", ESCAPES, "-m", f"{ESCAPES}.eyespot"],
        ["explain", ESCAPES, "-m", ESCAPES],
        ["serve", f"{ESCAPES}.eyespot"],
        ["embed", ESCAPES, "-o", "f.parquet"],
        ["similar", ESCAPES, "--in", ESCAPES],
        ["train", ESCAPES, "-o", ESCAPES],
    ],
)
def test_errors_quote_what_was_typed_harmlessly(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (1, 2)
    assert done.stderr
    assert is_harmless(done.output), done.output


def test_a_progress_bar_takes_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress() as step:
        step(f"Reading {ESCAPES} [red]", 1, 2)
        step(f"Reading {ESCAPES} [red]", 2, 2)
    assert "\x07" not in terminal.getvalue()
    assert "]0;owned\\x07" in terminal.getvalue().replace("\n", "")
    assert "[red]" in terminal.getvalue()


def test_nothing_but_say_prints() -> None:
    """Ruff's T20 forbids print; these write to a terminal as well."""
    folder = Path(eyespot.cli.__file__).parent
    for file in folder.glob("*.py"):
        code = file.read_text("utf-8")
        assert not re.search(r"typer\.s?echo|std(out|err)\.write\(|basicConfig", code), file.name
