"""One rule for all percentages, in Python and on pages."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import eyespot
from eyespot.evaluation import percent, percent_interval

SHARES = {
    0.0: "0%",
    1e-9: "<0.1%",
    0.0004: "<0.1%",
    0.0005: "0.1%",
    0.003: "0.3%",
    0.5: "50.0%",
    0.9: "90.0%",
    0.997: "99.7%",
    0.9994: "99.9%",
    0.9996: ">99.9%",
    1 - 1e-9: ">99.9%",
    1.0: "100%",
}


def test_all_and_nothing_are_said_of_all_and_nothing_alone() -> None:
    assert {share: percent(share) for share in SHARES} == SHARES
    assert percent(-0.003) == "-0.3%"
    assert percent(0.99996, 2) == ">99.99%"
    assert percent(0.9912, 2) == "99.12%"
    assert percent_interval((0.908, 0.936)) == "90.8–93.6%"
    assert percent_interval((0.9, 1.0)) == "90.0–100%"


def test_pages_say_the_same(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    file = Path(eyespot.__file__).parent / "web" / "static" / "percent.js"
    script = tmp_path / "say.mjs"
    shutil.copy(file, tmp_path / "percent.mjs")
    script.write_text(
        f"""import {{ percent }} from "./percent.mjs";
        console.log(JSON.stringify({json.dumps(list(SHARES))}.map(percent)));"""
    )
    said = subprocess.run([node, script], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == list(SHARES.values())


def test_nobody_has_a_rule_of_their_own() -> None:
    """But programs that are shown, which import nothing of ours."""
    package = Path(eyespot.__file__).parent
    own = ("shown.py", "export/snippets/")
    for file in [*package.rglob("*.py"), *package.rglob("*.html")]:
        name = file.relative_to(package).as_posix()
        if not name.startswith(own):
            assert not re.search(r":[0-9>]*\.[0-9]%\}", file.read_text("utf-8")), name
    for file in package.rglob("*.js"):
        found = re.search(r"100 \* \w+\)\.toFixed", file.read_text("utf-8"))
        assert not found or file.name == "percent.js", file
