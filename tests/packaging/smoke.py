"""Install a wheel in an environment of its own and see that it works: `make dist` runs this.

python tests/packaging/smoke.py dist/eyespot-*.whl            everything is installed anew
python tests/packaging/smoke.py dist/eyespot-*.whl --borrow   libraries of this environment
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
NEEDED = ("studio/pages/teach.html", "report/report.html", "report/style.css", "py.typed")


def smoke(wheel: Path, borrow: bool) -> str:
    """The version that was installed. Raises CalledProcessError or AssertionError."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        if borrow:
            _run(folder, *pip, "--no-deps", wheel)
            site = _run(folder, python, "-c", "import sysconfig as s; print(s.get_path('purelib'))")
            # A folder named in a .pth file comes last, and its own .pth files are not read: not
            # that of the eyespot that is being worked on.
            Path(site.strip(), "borrowed.pth").write_text(sysconfig.get_path("purelib"))
        else:
            _run(folder, *pip, wheel, "-c", CONSTRAINTS)
        return _check(folder, python)


def _check(folder: Path, python: Path) -> str:
    command = folder / "venv" / "bin" / "eyespot"
    version = _run(folder, command, "--version").removeprefix("eyespot ").strip()
    assert "teach" in _run(folder, command, "--help")
    where = _run(folder, python, "-c", "import eyespot; print(eyespot.__file__)")
    package = Path(where.strip()).parent
    assert folder.resolve() in package.resolve().parents, where
    missing = [name for name in NEEDED if not (package / name).is_file()]
    assert not missing, f"the wheel lacks {missing}"
    draw = "from PIL import Image; Image.linear_gradient('L').convert('RGB').save('photo.png')"
    _run(folder, python, "-c", draw)
    (answer,) = json.loads(_run(folder, command, "predict", "photo.png", "--json"))
    assert answer["error"] is None
    assert len(answer["top"]) == 5
    return version


def _run(folder: Path, *line: object) -> str:
    """What a program says that knows nothing of this environment."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "EYESPOT"))}
    return subprocess.run(
        [str(word) for word in line],
        env={**own, "EYESPOT_CACHE": str(folder / "cache")},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


if __name__ == "__main__":
    wheels = [Path(name).resolve() for name in sys.argv[1:] if name.endswith(".whl")]
    if len(wheels) != 1:
        sys.exit(f"Name one wheel; got {len(wheels)}.")
    sys.stdout.write(f"eyespot {smoke(wheels[0], '--borrow' in sys.argv)} works.\n")
    with zipfile.ZipFile(wheels[0]) as archive:
        sys.stdout.write(f"{wheels[0].name}: {len(archive.namelist())} files\n")
