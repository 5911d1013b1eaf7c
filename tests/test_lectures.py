"""docs/course/lectures.md states what the code computes, row by row."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.lecture_figures import FIGURES, FROM_DATA

PAGE = Path(__file__).resolve().parent.parent / "docs/course/lectures.md"
VERDICTS = ("right", "imprecise", "wrong", "not stated")


def rows() -> list[list[str]]:
    """The cells of every row of the page's tables of four columns, without their heads."""
    lines = re.findall(r"^\| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    cells = [line.split(" | ") for line in lines]
    return [row for row in cells if len(row) == 4 and row[0] != "what"]


COMPUTED = {what: computed for what, _, computed, _ in rows()}


def test_every_figure_has_one_row_and_every_row_a_figure() -> None:
    shown = Counter(row[0] for row in rows())
    assert [what for what, count in shown.items() if count > 1] == []
    assert set(shown) == set(FIGURES) | set(FROM_DATA)


@pytest.mark.parametrize("what", FIGURES)
def test_the_page_states_what_the_code_computes(what: str) -> None:
    assert COMPUTED[what] == FIGURES[what]()


@pytest.mark.parametrize("what", FROM_DATA)
def test_the_page_states_what_the_data_hold(what: str, shared_data: Path) -> None:
    assert COMPUTED[what] == FROM_DATA[what](shared_data)


def test_a_verdict_that_blames_says_why() -> None:
    for what, _, _, verdict in rows():
        kind, _, reason = verdict.partition(":")
        assert kind.startswith(VERDICTS), what
        assert reason or kind not in ("wrong", "imprecise"), what


def test_a_number_that_is_right_is_among_what_we_compute() -> None:
    """Where the lecture gives an exact number and the verdict is a bare "right"."""
    for what, said, computed, verdict in rows():
        exact = re.match(r"-?\d[\d,.]*(?= (?:weights )?\()", said)
        if verdict == "right" and exact:
            assert float(exact[0].replace(",", "")) in {
                float(number) for number in re.findall(r"-?\d+\.?\d*", computed.replace(",", ""))
            }, what


def test_the_summary_counts_the_verdicts() -> None:
    verdicts = [row[3] for row in rows()]
    right, imprecise, wrong, missing = (
        sum(verdict.startswith(kind) for verdict in verdicts) for kind in VERDICTS
    )
    text = " ".join(PAGE.read_text().split())
    assert (
        f"Of {len(verdicts)} rows, {right} are right, {imprecise} imprecise, {wrong} wrong, and "
        f"{missing} give what the lectures leave open." in text
    )
