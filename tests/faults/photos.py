"""Small photos, and the command line in a process of its own, for tests that break things."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.pictures import patches


def write_photos(
    root: Path, count: int = 20, names: tuple[str, ...] = ("brick", "grass", "gravel")
) -> Path:
    """A folder per surface with `count` PNG files of 64 x 64 pixels each."""
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number, patch in enumerate(patches(name, count, side=64)):
            Image.fromarray(patch).save(root / name / f"{number}.png")
    return root


def start(*arguments: object) -> subprocess.Popen[str]:
    """`eyespot` with these arguments, running."""
    return subprocess.Popen(
        [sys.executable, "-m", "eyespot", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def teach(photos: Path, output: Path, *more: object) -> subprocess.Popen[str]:
    """`eyespot teach`, running."""
    return start("teach", photos, "-o", output, "--budget", 1, *more)
