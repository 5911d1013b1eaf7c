"""Words that readers would have to translate do not come back into what people read.

Looked through: every string and docstring of the package, its pages, and the documentation.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "src" / "eyespot"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "SECURITY.md"]

BANNED = {
    r"pictures?\b": "photo (a user's), image (arrays, formats)",
    r"learnt\b": "trained, fitted, learned",
    r"lessons?\b": "result, training",
    r"knobs?\b": "hyperparameter",
    r"familiar(ity)?\b": "OOD score",
    r"examin\w+": "evaluate, evaluation",
    r"judg\w+": "evaluate, evaluation",
    r"survey\w*": "review",
    r"suspicio\w+": "label issue",
    r"tak(en?|ing) for\b": "misclassified as",
    r"right (for|on|of)\b": "accuracy",
    r"(never|not) (saw|seen)\b": "held-out, out-of-fold",
    r"(heads?|classifiers?|photos?) (was|were) asked\b": "out-of-fold, evaluated on",
    r"\d ?% (sure|certain)": "95% CI",
    r"how (sure|far) (it|to)\b": "calibration, confidence",
    r"(goes?|went|going) on (with|from|where)\b": "resume",
    r"(left to|of|by) chance\b": "random, seed, baseline",
    r"take away\b": "export, download",
    r"what (it|they) says?\b": "the prediction, the content",
    r"what (is|are|was|were) (left|said|known|there)\b": "a noun",
    r"as far as\b": "where, if",
    r"the system refused": "what failed, and what to do",
    r"are no (numbers|photos|weights)": "are not ...",
    r"is no (number|photo|file|folder|text|picture|network|classifier)\b": "is not a ...",
    r"copies of\b": "duplicates of",
    r"commonest": "majority class",
    r"\d %": "no space before %",
    r"bring back|turn off": "restore, disable",
}
"""Each with what to write instead. Begins at the start of a word."""

EXCEPTIONS = {
    r"\bphoto_path picture\b|\bpicture pictures samples\b|\bimg picture photo\b": "names of users' "
    "columns and folders",
}
"""Phrases in which a banned word has another meaning, and why."""


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a Python file, docstrings among them, with the lines they begin in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page, a script or a document."""
    yield from enumerate(path.read_text().splitlines(), 1)


def sources() -> list[Path]:
    pages = [*PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.js"), *PACKAGE.rglob("*.svg")]
    return sorted([*PACKAGE.rglob("*.py"), *pages, *PAGES, *(REPOSITORY / "docs").rglob("*.md")])


def banned_in(path: Path) -> list[str]:
    """Every banned word of a file: line, word, and what to write instead."""
    found = []
    for line, text in strings_of(path) if path.suffix == ".py" else lines_of(path):
        for phrase in EXCEPTIONS:
            text = re.sub(phrase, "", text)
        for word, instead in BANNED.items():
            found += [
                f"line {line}: {match[0]!r} ({instead})"
                for match in re.finditer(rf"(?<![\w-]){word}", text, re.IGNORECASE)
            ]
    return found


@pytest.mark.parametrize(
    "path", sources(), ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
def test_no_banned_word(path: Path) -> None:
    assert not banned_in(path)


def test_a_banned_word_is_found(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<p>Right for 91.9 % of the pictures it has never seen.</p>")
    assert len(banned_in(path)) == 4
