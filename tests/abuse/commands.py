"""The command line in a process of its own, as an attacker or an unlucky user meets it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

HANG = 240
"""Seconds after which a process counts as hung; what is run here takes a few."""


def eyespot(
    *arguments: object,
    environment: Mapping[str, str | None] | None = None,
    folder: Path | None = None,
    prepare: Callable[[], None] | None = None,
    seconds: float = HANG,
) -> subprocess.CompletedProcess[str]:
    """Run `eyespot` to its end, which must come, and must be no traceback and no crash.

    `environment`: variables to set, or with None to remove. `prepare` runs in the new process.
    """
    done = subprocess.run(
        [sys.executable, "-m", "eyespot", *map(str, arguments)],
        env=changed(environment or {}),
        cwd=folder,
        preexec_fn=prepare,
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )
    check_end(done.returncode, done.stderr, (0, 1, 2))
    return done


def check_end(code: int, errors: str, codes: tuple[int, ...]) -> None:
    """No traceback, one of these exit codes, and a reason wherever it failed by itself."""
    assert "Traceback" not in errors, errors
    assert code in codes, (code, errors)
    if code in (1, 2):
        assert errors.strip()


def changed(variables: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment with some variables set, or with None removed."""
    whole = {**os.environ, **variables}
    return {name: value for name, value in whole.items() if value is not None}
