"""The documentation builds as a site, without a warning and without anything from another site."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import eyespot

REPOSITORY = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None, reason='needs pip install "eyespot[docs]"'
    ),
    pytest.mark.skipif(
        not (REPOSITORY / "mkdocs.yml").is_file(), reason="mkdocs.yml is not in the sdist"
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_page_loads_nothing_from_another_site(site: Path) -> None:
    loads = r"<(?:script|img|iframe)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*\shref=\"?(?:https?:)?//"
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 25
    assert [page.name for page in pages if re.search(loads, page.read_text("utf-8"))] == []
    imports = r"@import|url\([\"']?(?:https?:)?//"
    styles = [
        style for style in site.rglob("*.css") if re.search(imports, style.read_text("utf-8"))
    ]
    assert styles == []


def test_the_api_reference_has_every_public_name(site: Path) -> None:
    page = (site / "reference/api.html").read_text("utf-8")
    headings = set(re.findall(r'<h2 id="[\w.]*?(\w+)"', page))
    assert set(eyespot.__all__) - headings == set()


def test_the_search_index_has_every_page(site: Path) -> None:
    index = (site / "search/search_index.json").read_text("utf-8")
    pages = [page.relative_to(site).as_posix() for page in site.rglob("*.html")]
    missing = [page for page in pages if f'"{page}"' not in index and page != "404.html"]
    assert missing == []
