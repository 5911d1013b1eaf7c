"""What goes into a release: all of the package, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.smoke import NEEDED, smoke

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "eyespot"


def included(builder: str) -> set[str]:
    """What hatchling would put into a wheel or sdist, by its own rules (.gitignore is one)."""
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    kind = {"wheel": WheelBuilder, "sdist": SdistBuilder}[builder]
    return {file.distribution_path for file in kind(str(REPOSITORY)).recurse_included_files()}


@pytest.fixture(scope="module")
def package() -> set[str]:
    """Every file of the package, as it would be named in a wheel."""
    files = (path for path in PACKAGE.rglob("*") if path.is_file())
    names = {path.relative_to(PACKAGE.parent).as_posix() for path in files}
    return {name for name in names if "__pycache__" not in name}


def test_the_wheel_has_all_of_the_package_and_nothing_else(package: set[str]) -> None:
    """A page, style or script that a rule leaves out would be missed only by who installs it."""
    assert included("wheel") == package
    assert {f"eyespot/{name}" for name in NEEDED} <= package


def test_the_sdist_has_what_builds_and_tests_it(package: set[str]) -> None:
    files = included("sdist")
    assert {f"src/{name}" for name in package} <= files
    assert {"README.md", "LICENSE", "SECURITY.md", "constraints.txt"} <= files
    assert "tests/conftest.py" in files
    assert not [name for name in files if name.startswith((".venv", "dist", "benchmarks"))]


@pytest.mark.slow
def test_a_wheel_is_built_and_works(tmp_path: Path) -> None:
    """With the libraries of this environment; `make dist` installs them anew."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert smoke(tmp_path / done.stdout.split()[-1], borrow=True)
