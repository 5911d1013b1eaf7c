"""Help, groups and completion of the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from eyespot.cli.main import GROUPS, app

VERBS = sorted(verb.__name__ for verbs in GROUPS.values() for verb in verbs)


def shown(*arguments: str, **environment: str) -> str:
    done = CliRunner().invoke(
        app, list(arguments), prog_name="eyespot", env={"COLUMNS": "80", **environment}
    )
    assert done.exit_code == 0, done.output
    return done.stdout


def test_eyespot_alone_shows_the_help() -> None:
    assert shown().strip() == shown("--help").strip()


def test_verbs_stand_in_groups_with_a_line_each() -> None:
    lines = shown("--help").splitlines()
    assert max(map(len, lines)) <= 80
    titles = [match[1] for line in lines if (match := re.match(r"╭─ (.+?) ─", line))]
    assert titles == ["Options", *GROUPS]
    first = next(number for number, line in enumerate(lines) if GROUPS_START in line)
    rows = [line[2:-2].rstrip() for line in lines[first:] if line.startswith("│")]
    assert sorted(row.split()[0] for row in rows) == sorted([*VERBS, "explain"])
    assert all(row.endswith(".") for row in rows)
    assert "eyespot demo" in "\n".join(lines)


GROUPS_START = "─ Teach and use ─"


@pytest.mark.parametrize("verb", [*VERBS, "explain", "explain photo", "explain dataset"])
def test_each_verb_has_an_example(verb: str) -> None:
    text = shown(*verb.split(), "--help")
    assert f"eyespot {verb.removesuffix(' photo')}" in text.partition("─ Options")[0]
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text  # piped


def test_every_option_has_a_help() -> None:
    command = get_command(app)
    commands = [*command.commands.values(), *command.commands["explain"].commands.values()]  # type: ignore[attr-defined]
    lacking = [
        f"{one.name} {parameter.name}"
        for one in commands
        for parameter in one.params
        if not parameter.help
    ]
    assert not lacking


def test_only_help_imports_rich(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom eyespot.cli.main import main\n"
        "sys.argv[1:] = {}\n"
        "try:\n    main()\nfinally:\n    print('rich' in sys.modules)"
    )
    for arguments, expected in ((["cache", "--json"], "False"), (["--help"], "True")):
        done = subprocess.run(
            [sys.executable, "-c", code.format(arguments)],
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ, "EYESPOT_CACHE": str(tmp_path)},
        )
        assert done.stdout.splitlines()[-1] == expected, done.stderr


def completed(line: str, shell: str = "bash") -> list[str]:
    environment = {"_EYESPOT_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        environment |= {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    else:
        environment |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    return shown(**environment).split()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("eyespot te", ["teach"]),
        ("eyespot teach --method s", ["svm"]),
        ("eyespot train --schedule co", ["constant", "cosine"]),
        ("eyespot zoo mnist_l", ["mnist_linear"]),
        ("eyespot explain f", ["filters"]),
        ("eyespot explain filters mnist_l", ["mnist_linear"]),
        ("eyespot export --to o", ["onnx", "openvino"]),
    ],
)
def test_bash_completes(line: str, values: list[str]) -> None:
    assert completed(line) == values


def test_other_shells_complete() -> None:
    assert completed("eyespot zoo mnist_l", "fish") == ["mnist_linear"]
    assert '"mnist_linear"' in "".join(completed("eyespot zoo mnist_l", "zsh"))


def test_models_are_files_and_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.eyespot", "a.safetensors", "a.jpg", "a\x1b[2J.eyespot"):
        Path(name).touch()
    Path("models").mkdir()
    Path("models/b.eyespot").touch()
    found = completed("eyespot predict -m a")
    assert found[:2] == ["a.eyespot", "a.safetensors"]
    assert "alexnet" in found
    assert not [name for name in found if "jpg" in name or "\x1b" in name]
    assert completed("eyespot predict -m models/") == ["models/b.eyespot"]
    assert "models/" in completed("eyespot predict -m mo")
