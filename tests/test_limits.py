"""The limits stand in one place of the code, and all of them in the docs."""

import re
from pathlib import Path

from eyespot import limits

REPOSITORY = Path(__file__).parents[1]


def test_every_limit_is_documented_as_it_is() -> None:
    text = (REPOSITORY / "docs/reference/limits.md").read_text("utf-8")
    documented = dict(re.findall(r"^\| `(MAX_\w+)` \| ([\d.,]+) \|", text, re.MULTILINE))
    decided = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert {name: float(value.replace(",", "")) for name, value in documented.items()} == decided


def test_every_limit_holds_somewhere() -> None:
    package = REPOSITORY / "src" / "eyespot"
    code = "\n".join(
        file.read_text("utf-8") for file in package.rglob("*.py") if file.name != "limits.py"
    )
    unused = [name for name in vars(limits) if name.startswith("MAX_") and name not in code]
    assert not unused
