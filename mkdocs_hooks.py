"""Add the pages of the repository's root to the site, and the public names to the API reference.

The README is the site's first page. Links are written for the repository; a link to a file that the
site does not have becomes plain text.
"""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from types import ModuleType

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import eyespot

REPOSITORY = Path(__file__).parent
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "SECURITY.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "benchmarks/README.md": "benchmarks/README.md",
}
"""Pages outside docs/, and their places on the site."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(REPOSITORY / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    place = page.file.src_uri
    if place == "reference/api.md":
        markdown += "".join(f"\n::: {path_of(name)}\n" for name in eyespot.__all__)
    source = {site: path for path, site in OUTSIDE.items()}.get(place, f"docs/{place}")

    def link(found: re.Match[str]) -> str:
        image, text, target = found.groups()
        path, hash_, anchor = target.partition("#")
        if "://" in target or not path:
            return found[0]
        there = normpath(join(dirname(source), path))
        there = OUTSIDE.get(there, there.removeprefix("docs/"))
        if files.get_file_from_path(there) is None:
            return text
        return f"{image}[{text}]({relpath(there, dirname(place) or '.')}{hash_}{anchor})"

    return re.sub(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)", link, markdown)


def path_of(name: str) -> str:
    """Where a public name is defined, as mkdocstrings finds it."""
    value = getattr(eyespot, name)
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, str):
        return f"eyespot.{name}"
    return f"{value.__module__}.{value.__qualname__}"
