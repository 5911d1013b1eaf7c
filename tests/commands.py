"""Commands, run as a reader runs them, but without importing torch anew for each.

Every `eyespot` command has a process of its own, forked from one that has imported the packages.
"""

import atexit
import functools
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

SECONDS = 900
"""Enough for the longest command on a machine with much other work."""
PRELOADED = (
    "eyespot.cli.main",
    "openvino",
    "pyarrow.parquet",
    "rich.progress",
    "scipy.optimize",
    "sklearn.linear_model",
    "torch",
)


def run(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in the current folder."""
    parsed = _parse(line)
    if parsed is None or not hasattr(os, "fork"):
        return _run_in_shell(line)
    environment, arguments, files = parsed
    return run_eyespot(
        *arguments,
        environment={**os.environ, **environment},
        stdin=files.get("<", os.devnull),
        stdout=files.get(">"),
    )


def run_eyespot(
    *arguments: object,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str = os.devnull,
    stdout: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `eyespot`. `environment`: of the process [this one's]. `folder`: where it runs [the
    current one]. `stdin`, `stdout`: files to read from and to write to."""
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as own:
        out, err = Path(own, "stdout"), Path(own, "stderr")
        job = {
            "arguments": words,
            "folder": str(folder or Path.cwd()),
            "environment": dict(os.environ if environment is None else environment),
            "streams": (stdin, stdout or str(out), str(err)),
        }
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        printed = out.read_text("utf-8") if out.exists() else ""
        return subprocess.CompletedProcess(words, code, printed, err.read_text("utf-8"))


def _parse(line: str) -> tuple[dict[str, str], list[str], dict[str, str]] | None:
    """Environment, arguments and redirections of a single command; None where a shell must."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="<>|&;")
    lexer.whitespace_split = True
    words = list(lexer)
    environment: dict[str, str] = {}
    while words and (found := re.fullmatch(r"([A-Z_]+)=(.*)", words[0])):
        environment[found[1]] = found[2]
        words.pop(0)
    arguments: list[str] = []
    files: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word in ("<", ">") and words:
            files[word] = words.pop(0)
        elif set(word) <= set("<>|&;") or "$" in word:
            return None
        else:
            arguments.append(word)
    return (environment, arguments[1:], files) if arguments[:1] == ["eyespot"] else None


def _run_in_shell(line: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=SECONDS,
    )


@functools.cache
def _server() -> subprocess.Popen[str]:
    """The process that the commands are forked from; it ends with this one."""
    server = subprocess.Popen(
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    atexit.register(os.killpg, server.pid, signal.SIGKILL)
    return server


# --- in the server --------------------------------------------------------------------------------


def _serve() -> None:
    """Fork a process for each job, a line of standard input; answer with its exit code."""
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _eyespot(**json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(code, flush=True)  # noqa: T201


def _eyespot(
    arguments: list[str], folder: str, environment: dict[str, str], streams: list[str]
) -> NoReturn:
    """The command in this process, as if it had just begun."""
    signal.alarm(SECONDS)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [str(Path(sys.executable).parent / "eyespot"), *arguments]
    for number, path in enumerate(streams):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    from eyespot.__main__ import main

    main()


if __name__ == "__main__":
    _serve()
