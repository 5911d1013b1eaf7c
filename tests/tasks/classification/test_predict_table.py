"""Answers as tables: those of predict, a row for every photo, and those of one classifier alone."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eyespot.data.parts import Share
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import UsageError
from eyespot.features.own_weights import keep_own
from eyespot.tasks.classification.classifier import Classifier, Prediction
from eyespot.tasks.classification.predict_table import fingerprint
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.predict_table import write_predictions
from eyespot.tasks.task import load
from tests.pictures import patches


@pytest.fixture(scope="module")
def classifier(network: Path) -> Classifier:
    pictures = [*patches("brick", 8, 48), *patches("grass", 8, 48)]
    names = ["brick"] * 8 + ["=grass"] * 8
    return teach(pictures, names, budget=0, backbone=str(network), use_cache=False).classifier


def photos() -> list[Photo]:
    pictures = [*patches("brick", 40, 48, seed=1), *patches("grass", 40, 48, seed=1)]
    found = [Photo(f"{n}.png", MemorySource(picture)) for n, picture in enumerate(pictures)]
    found[3] = Photo("=3.png", MemorySource(b"broken"))
    return found


def test_the_tables_say_what_predict_says(classifier: Classifier, tmp_path: Path) -> None:
    shown: list[Prediction] = []
    paths = tmp_path / "a.parquet", tmp_path / "a.csv"
    written = write_predictions(classifier, photos(), *paths, options={"top": 2}, show=shown.extend)
    assert (written.photos, written.failures) == (80, 1)
    asked = {answer.path: answer for answer in classifier.predict_batch(photos(), top=2)}
    assert [answer.path for answer in shown] == [photo.name for photo in photos()]
    for answer, row in zip(shown, pq.read_table(paths[0]).to_pylist(), strict=True):
        wanted = asked[answer.path]
        assert (answer.label, answer.unknown, answer.error) == (
            wanted.label, wanted.unknown, wanted.error,
        )  # fmt: skip
        assert answer.probability == pytest.approx(wanted.probability, abs=1e-4)
        assert (row["path"], row["label"], row["error"] or "") == (
            answer.path, answer.label, answer.error,
        )  # fmt: skip
        if not answer.error:
            assert row["probability"] == answer.probability
            assert [entry["label"] for entry in json.loads(row["top"])] == [
                x for x, _ in answer.top
            ]
    with paths[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 80
    assert (rows[3]["path"], rows[3]["probability"]) == ("'=3.png", "")
    assert {row["label"] for row in rows} <= {"brick", "'=grass", ""}
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_csv_alone_from_shares(classifier: Classifier, tmp_path: Path) -> None:
    write_predictions(classifier, photos(), csv=tmp_path / "one.csv")
    for number in (1, 2):
        write_predictions(classifier, photos(), csv=tmp_path / "two.csv", share=Share(number, 2))
    write_predictions(classifier, photos(), csv=tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_another_classifier_does_not_go_on(classifier: Classifier, tmp_path: Path) -> None:
    path, share = tmp_path / "a.parquet", Share(1, 2)
    write_predictions(classifier, photos(), path, share=share)
    with pytest.raises(UsageError, match="Different: the classifier"):
        write_predictions(replace(classifier, temperature=2.0), photos(), path)
    assert write_predictions(classifier, photos(), path).photos == 80


def test_without_a_cache_the_network_is_kept_for_the_process(
    classifier: Classifier, network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.eyespot"
    keep_own(network.read_bytes())
    classifier.save(path)
    monkeypatch.setenv("EYESPOT_CACHE", str(path / "cache"))
    picture = patches("grass", 1, 48, seed=1)[0]
    there = load(path)
    assert there.predict(picture).top[0][0] == "=grass"
    there.save(tmp_path / "again.eyespot")
    assert load(tmp_path / "again.eyespot").backbone == classifier.backbone
    assert {one.name for one in tmp_path.iterdir()} == {"c.eyespot", "again.eyespot"}


def test_a_fingerprint_is_of_all_that_answers_depend_on(
    classifier: Classifier, network: Path, tmp_path: Path
) -> None:
    keep_own(network.read_bytes())  # this test's cache is another than that of the fixture
    classifier.save(tmp_path / "c.eyespot")
    own = fingerprint(classifier)
    assert fingerprint(load(tmp_path / "c.eyespot")) == own
    changed = [
        replace(classifier, classes=("brick", "lawn")),
        replace(classifier, temperature=classifier.temperature * 2),
        replace(classifier, ood_threshold=0.123),
        replace(classifier, ood_scorer=None),
        replace(classifier, backbone=replace(classifier.backbone, sha256="0" * 64)),
    ]
    assert len({own, *map(fingerprint, changed)}) == 6
    assert fingerprint(replace(classifier, metrics={})) == own
