"""The page of a review: it is complete, its size is bounded, and no name becomes markup."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eyespot.data.duplicates import Duplicates
from eyespot.data.photos import FileSource, Photo, Skipped
from eyespot.evaluation import LabelIssue
from eyespot.evaluation.clusters import Clusters
from eyespot.evaluation.label_issues import PlantedTest
from eyespot.features.backbone import Backbone
from eyespot.features.extract import Features, thumbnail
from eyespot.report.map import MOST_THUMBNAILS
from eyespot.report.review import contents, render
from eyespot.review.actions import propose
from eyespot.review.review import LabelCheck, Review
from tests.report.test_page import COMMENT, ESCAPE, HOSTILE, Page

CLASSES = (HOSTILE, ESCAPE, COMMENT)


def a_review(backbone: Backbone, count: int = 60) -> Review:
    """Made-up photos of three classes with hostile names, and one of everything to be said."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 3
    names = tuple(f"{CLASSES[label]}/{n}.jpg" for n, label in enumerate(labels))
    small = thumbnail(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8), 1.0)
    values = rng.normal(size=(count, 64)).astype(np.float16)
    return Review(
        photos=tuple(
            Photo(name, FileSource(Path("/photos") / name.replace("/", "_")), CLASSES[label])
            for name, label in zip(names, labels, strict=True)
        ),
        skipped=(Skipped(HOSTILE, ESCAPE),),
        features=Features(
            names,
            tuple(map(str, range(count))),
            values,
            {backbone.last: slice(0, 64)},
            np.zeros(count, np.uint64),
            (small,) * count,
        ),
        backbone=backbone,
        classes=CLASSES,
        labels=labels,
        duplicates=Duplicates(np.arange(count), [[0, 3]], [[1, 2, 4]]),
        findings=[],
        clusters=Clusters(labels // 2, [[*range(0, count, 2)], [*range(1, count, 2)]], 0.25),
        ood_scores=np.linspace(0, 1, count, dtype=np.float32),
        outliers=[0, 5],
        check=LabelCheck([LabelIssue(7, 0, 0.97, 0.01)], count, "svm", PlantedTest(20, 15, 14, 18)),
        seconds={"total": 1.0},
    )


@pytest.fixture
def review(backbone: Backbone) -> Review:
    return a_review(backbone)


def test_nothing_hostile_becomes_an_element(review: Review) -> None:
    page = Page(render(review, propose(review), f"{HOSTILE}.csv"))
    assert page.unbalanced == []
    assert len(page.scripts) == 2  # the points, and what draws them
    assert not [tag for tag, _ in page.elements if tag in ("iframe", "object", "link", "base")]
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert HOSTILE in "".join(page.words)
    assert json.loads(page.scripts[0])["layers"][0]["names"] == list(CLASSES)


def test_nothing_is_loaded(review: Review) -> None:
    text = render(review, propose(review), "a.csv")
    addresses = [
        value
        for tag, found in Page(text).elements
        for name, value in found.items()
        if name in ("src", "href", "srcset", "action", "data", "poster")
    ]
    assert addresses
    assert [a for a in addresses if not a.startswith(("data:image/jpeg;base64,", "#"))] == []
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_all_results_are_on_it(review: Review) -> None:
    words = re.sub(r"\s+", " ", "".join(Page(render(review, propose(review), "a.csv")).words))
    for said in (
        "Group 1: 30 photos",
        "Silhouette 0.25",
        "20 labels (5%) were replaced by wrong ones",
        "found 15 of them: recall 75.0% (95% CI",
        "reported 18 label issues: precision 83.3% or more (95% CI",
        f"predicted {HOSTILE} (97.0%)",
        "OOD score 0.00",
        "Conflicting labels",
        "Skipped files",
        "a.csv",
    ):
        assert said in words, said


def test_the_map_has_every_photo_once_in_each_colouring(review: Review) -> None:
    seen = contents(review, propose(review))["map"]
    assert [by for by, _ in seen["layers"]] == ["label", "group"]
    for _, layer in seen["layers"]:
        assert sum(item["path"].count("h0") for item in layer) == 60
    data = seen["data"]
    assert {len(data[key]) for key in ("x", "y", "name")} == {60}
    assert data["note"][7] == f"predicted {HOSTILE}"
    assert [layer["of"][7] for layer in data["layers"]] == [1, 0]


def test_without_labels_no_part_mentions_them(review: Review) -> None:
    photos = tuple(replace(photo, label=None) for photo in review.photos)
    plain = replace(review, photos=photos, classes=(), labels=review.labels * 0 - 1, check=None)
    text = render(plain, propose(plain), "a.csv")
    assert "without labels" in text
    assert "<span>label" not in text
    assert "Colour by" not in text
    assert contents(plain, [])["map"]["layers"][0][0] == "group"


def test_ten_thousand_photos_make_a_page_of_a_few_megabytes(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    somewhere = np.random.default_rng(0).uniform(size=(10_000, 2))  # a map takes seconds
    monkeypatch.setattr("eyespot.report.map.project", lambda values: somewhere)
    many = a_review(backbone, 10_000)
    many = replace(many, outliers=list(range(0, 10_000, 5)))
    actions = propose(many)
    seen = contents(many, actions)
    assert len(seen["map"]["data"]["x"]) == 10_000
    assert len(seen["map"]["data"]["thumbnail"]) == MOST_THUMBNAILS
    text = render(many, actions, "a.csv")
    share_of_photos = text.count("data:image/jpeg") * len(many.features.thumbnails[0]) * 4 / 3
    assert text.count("data:image/jpeg") < MOST_THUMBNAILS + 200
    assert len(text) - share_of_photos < 3_000_000


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_photos_has_a_page(backbone: Backbone, count: int) -> None:
    few = replace(
        a_review(backbone, count),
        duplicates=Duplicates(np.arange(count), [], []),
        outliers=[],
        check=None,
        clusters=Clusters(np.zeros(count, np.int64), [[*range(count)]], float("nan")),
    )
    text = render(few, propose(few), "a.csv")
    assert "One group" in text
    assert "Silhouette" not in text
    assert ('id="plot"' in text) == (count == 3)
