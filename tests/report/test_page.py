"""The report: it is complete, loads nothing, and no name becomes markup."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.evaluation import LabelIssue, learning_curve, verdict
from eyespot.report import write_report
from eyespot.report.page import render
from eyespot.tasks.classification.result import EvaluateResult, TeachResult
from eyespot.tasks.classification.teach import teach
from tests.pictures import patches

HOSTILE = "<script>alert(1)</script>\"'&"
ESCAPE = "</script><img src=x onerror=alert(2)>"
COMMENT = "<!--<script>{{ 7 * 7 }} javascript:alert(3)"
NAMES = (HOSTILE, ESCAPE, COMMENT)
VOID = {"meta", "img", "br", "hr", "input", "link", "rect", "line", "circle"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of those whose text is asked for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def result(
    converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TeachResult]:
    """Three classes of hostile names, photos of hostile names, and something of everything."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "networks").symlink_to(converted_networks, target_is_directory=True)
    photos = [
        Photo(f"{label}/{number}{label}.png", MemorySource(patch), label)
        for label, surface in zip(NAMES, ("brick", "grass", "gravel"), strict=True)
        for number, patch in enumerate(patches(surface, 8))
    ]
    photos.append(Photo(f"copy of {HOSTILE}", photos[0].source, HOSTILE))
    skipped = (Skipped(f"broken {ESCAPE}", f"it says {HOSTILE}"),)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(cache))
        found = teach(Dataset(tuple(photos), skipped))
        # These surfaces are told apart without an error: make some, so that they are shown.
        wrong = found.probabilities.copy()
        truth = int(found.labels[0])
        wrong[0] = 0.01
        wrong[0, (truth + 1) % 3] = 0.98
        confusion = found.evaluation.confusion.copy()
        confusion[truth, (truth + 1) % 3] += 1
        yield replace(
            found,
            probabilities=wrong,
            evaluation=replace(found.evaluation, confusion=confusion),
            label_issues=[LabelIssue(0, (truth + 1) % 3, 0.98, 0.01)],
        )


@pytest.fixture(scope="module")
def text(result: TeachResult) -> str:
    return render(result)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def points(page: Page) -> dict[str, Any]:
    """The data of the map."""
    found: dict[str, Any] = json.loads(page.scripts[0])
    return found


def test_names_make_no_element(page: Page) -> None:
    assert len(page.scripts) == 2  # the map's data and the page's own script
    assert not [attributes for _, attributes in page.elements if "onerror" in attributes]
    assert not [name for _, a in page.elements for name in a if name.startswith("on")]
    assert page.unbalanced == []
    assert page.open == []


def test_names_are_shown_as_they_are(page: Page) -> None:
    for name in NAMES:
        assert " ".join(name.split()) in page.text
    assert "49 javascript" not in page.text


def test_no_name_stands_unescaped_anywhere(text: str) -> None:
    for name in NAMES:
        assert name not in text
    assert "<img src=x" not in text
    assert "<!--" not in text


def test_names_in_the_data_of_the_map_end_no_script(
    text: str, page: Page, result: TeachResult
) -> None:
    found = points(page)
    assert found["name"] == list(result.features.names)
    assert found["layers"] == [
        {"of": result.labels.tolist(), "names": [*result.classifier.classes]}
    ]
    assert found["note"]["0"] == f"misclassified as {COMMENT}"
    data = re.search(r'<script type="application/json" id="points">(.*?)</script>', text, re.S)
    assert data
    assert not set("<>&'") & set(data[1])


def test_the_script_puts_names_in_as_text_only(page: Page) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", page.scripts[1])  # fmt: skip  # noqa: E501


def test_nothing_is_fetched(text: str, page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "data", "poster", "xlink:href"):
            address = attributes.get(name, "#")
            assert address.startswith(("#", "data:image/jpeg;base64,")), (tag, address)
    assert "url(" not in text
    assert "@import" not in text
    assert page.all("link") == page.all("iframe") == page.all("base") == []
    assert re.findall(r"https?://", text) == []


def test_a_browser_is_told_to_fetch_nothing(page: Page) -> None:
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy


def test_its_frame_is_that_of_a_good_page(text: str, page: Page) -> None:
    assert text.lstrip().lower().startswith("<!doctype html>")
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert [title for title in page.all("title") if "id" not in title] == [
        {}
    ]  # others: of drawings
    assert all("alt" in picture for picture in page.all("img"))
    assert len(page.all("img")) > 2
    (viewport,) = [m["content"] for m in page.all("meta") if m.get("name") == "viewport"]
    assert viewport.startswith("width=device-width")


def test_headings_skip_no_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)
    labelled = [a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a]
    assert {name for names in labelled for name in names.split()} <= set(ids)


def test_drawings_have_a_name_or_are_hidden(page: Page) -> None:
    drawings = page.all("svg")
    assert drawings
    named = ("aria-label", "aria-labelledby")
    assert all(any(map(d.get, named)) or d.get("aria-hidden") == "true" for d in drawings)


def test_headers_of_tables_say_what_they_head(page: Page) -> None:
    assert {header.get("scope") for header in page.all("th")} == {"col", "colgroup", "row"}


def test_verdict_advice_and_reason_are_on_it(page: Page, result: TeachResult) -> None:
    texts = (verdict(result.evaluation, result.evaluated_on), result.advice, result.reason)
    for words in texts:
        assert " ".join(words.split()) in page.text


def test_every_candidate_is_on_it(page: Page, result: TeachResult) -> None:
    assert len(result.candidates) > 1
    for trial in result.candidates:
        assert trial.method in page.text
    assert f"{result.method} (selected)" in page.text


def test_the_confusion_is_on_it(text: str, page: Page, result: TeachResult) -> None:
    cells = re.findall(r'<td class="(?:right|wrong)"[^>]*>(\d*)</td>', text)
    found = np.array([int(cell or 0) for cell in cells]).reshape(3, 3)
    np.testing.assert_array_equal(found, result.evaluation.confusion)
    assert f"{HOSTILE} misclassified as {COMMENT} : 1" in page.text


def test_mistakes_label_issues_duplicates_and_skipped_files_are_on_it(page: Page) -> None:
    heat = [i["alt"] for i in page.all("img") if i["alt"].startswith("Occlusion map")]
    if heat:  # rounding, which depends on the processor, decides whether an area raises the score
        assert heat == [f"Occlusion map of the same photo: areas that raise the score of {COMMENT}"]
    else:
        assert f"Covering lowers the score of {COMMENT} nowhere" in page.text
    assert page.text.count(f"predicted {COMMENT}") == 2
    assert f"actual {HOSTILE}" in page.text
    assert f"label {HOSTILE}" in page.text
    assert f"copy of {HOSTILE}" in page.text
    assert f"broken {ESCAPE}" in page.text
    assert f"it says {HOSTILE}" in page.text


def test_more_classes_than_a_table_can_show(result: TeachResult) -> None:
    """The page lists the most frequent confusions instead."""
    names = tuple(f"kind {number}" for number in range(31))
    confusion = np.zeros((31, 31), dtype=np.int64)
    confusion[3, 7] = 5
    score = result.evaluation.per_class[0]
    shares = np.full((len(result.labels), 31), np.nan)
    many = replace(
        result,
        classifier=replace(result.classifier, classes=names),
        evaluation=replace(
            result.evaluation, classes=names, confusion=confusion, per_class=(score,) * 31
        ),
        probabilities=shares,
        trained=np.full(31, 8),
        label_issues=[],
    )
    found = Page(render(many))
    assert not [t for t in found.all("table") if t.get("class") == "matrix"]
    assert "kind 3 misclassified as kind 7 : 5" in found.text
    assert "kind 0, kind 1, kind 2, kind 3, ..." in found.text


def test_it_is_written_whole(result: TeachResult, text: str, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "r.html"
    write_report(result, path)
    assert path.read_text("utf-8") == text
    assert [entry.name for entry in path.parent.iterdir()] == ["r.html"]


def test_a_name_in_an_old_encoding_stops_no_report(result: TeachResult, tmp_path: Path) -> None:
    """Such file names reach Python with characters that UTF-8 cannot hold."""
    names = tuple(f"caf\udce9 {name}" for name in result.features.names)
    odd = replace(
        result,
        features=replace(result.features, names=names),
        classifier=replace(result.classifier, classes=("caf\udce9", "b", "c")),
    )
    write_report(odd, tmp_path / "r.html")
    assert "caf" in Page((tmp_path / "r.html").read_text("utf-8")).text


def test_every_label_issue_that_is_counted_is_on_it(result: TeachResult) -> None:
    issues = [LabelIssue(number, 0, 0.99 - number / 1000, 0.01) for number in range(25)]
    page = Page(render(replace(result, label_issues=issues)))
    assert "Label issues: 25" in page.text
    assert "1 more label issue" in page.text
    for issue in issues:
        assert " ".join(result.features.names[issue.index].split()) in page.text
    assert "96.6%" in page.text  # of the last, in the table


def test_it_says_which_accuracy_is_nested(page: Page) -> None:
    assert "by nested cross-validation, model selection inside" in page.text
    assert "Accuracy, selection not included" in page.text


def test_the_numbers_of_the_learning_curve_are_whole(result: TeachResult) -> None:
    """They stand beside the drawing: within it, they were stretched and cut off."""
    sizes, right = [12_345, 61_725, 123_450], [np.arange(100) < n for n in (61, 83, 97)]
    text = render(replace(result, learning_curve=learning_curve(sizes, right)))
    (plot,) = re.findall(r'<div class="plot">.*?</figure>', text, re.DOTALL)
    assert "<text" not in plot
    assert re.findall(r'class="tick"[^>]*>([^<]*)<', plot) == ["50 k", "100 k"]
    levels = re.findall(r'class="level"[^>]*>([^<]*)<', plot)
    assert levels == ["50%", "60%", "70%", "80%", "90%", "100%"]


def test_an_evaluation_has_a_report(result: TeachResult) -> None:
    """All parts of teaching are left out."""
    least = EvaluateResult(
        classifier=result.classifier,
        evaluation=result.evaluation,
        evaluated_on="these photos",
        dataset=result.dataset,
        skipped=(),
        findings=[],
        duplicates=replace(result.duplicates, near=[], exact=[]),
        labels=result.labels,
        trained=None,
        probabilities=result.probabilities,
        features=result.features,
        label_issues=[],
        rejection=result.rejection,
        method="",
    )
    page = Page(render(least))
    assert page.unbalanced == []
    headings = {a["id"] for tag, a in page.elements if tag == "h2"}
    parts = ("next", "confusion", "mistakes", "calibration", "rejected", "map", "details")
    assert headings == {f"h-{name}" for name in parts}
    assert {link["href"] for link in page.all("a")} == {f"#{name}" for name in ("main", *parts)}
    assert verdict(result.evaluation, "these photos") in page.text
    assert f"actual {HOSTILE}" in page.text
    for absent in ("Label issues", "Near-duplicates", "Skipped files", "Time", "trained on"):
        assert absent not in page.text


def test_known_photos_are_a_warning(result: TeachResult) -> None:
    text = Page(render(replace(result, known=result.features.names[:3]))).text
    assert "The classifier was trained on 3 of these photos; the accuracy is inflated." in text
