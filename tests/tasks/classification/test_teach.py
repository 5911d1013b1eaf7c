import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.cli.figures import print_figures
from eyespot.data.given import PhotoLike
from eyespot.data.photos import Dataset, MemorySource, Photo
from eyespot.errors import ClassifierFileError, DatasetError, UsageError
from eyespot.evaluation import percent
from eyespot.evaluation.verdict import advice
from eyespot.report import write_report
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.evaluate import evaluate
from eyespot.tasks.classification.model_card import model_card
from eyespot.tasks.classification.result import TeachResult
from eyespot.tasks.classification.split import split_photos
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.task import load
from eyespot.weights import zoo
from tests.pictures import patches, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("photos"), 16, ("brick", "grass", "gravel"))


@pytest.fixture(scope="module")
def lesson(folder: Path) -> TeachResult:
    return teach(folder, use_cache=False)


def test_surfaces_are_told_apart(lesson: TeachResult) -> None:
    assert lesson.classifier.classes == ("brick", "grass", "gravel")
    assert lesson.evaluation.count == 48
    assert lesson.evaluation.top1 > 0.9
    low, high = lesson.evaluation.top1_interval
    assert low < lesson.evaluation.top1 <= high
    assert lesson.reason.count(". ") == 2  # three sentences
    assert all(trial.seconds > 0 for trial in lesson.candidates)


def test_random_labels_give_chance(folder: Path) -> None:
    photos = [p for name in ("brick", "grass") for p in sorted((folder / name).glob("*.png"))]
    found = []
    for seed in range(4):
        labels = np.random.default_rng(seed).integers(0, 2, len(photos))
        lesson = teach([*photos], [str(label) for label in labels], method="logistic")
        found.append(lesson.evaluation.top1)
    assert 0.35 < np.mean(found) < 0.65


def test_the_classifier_survives_its_file(
    lesson: TeachResult, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "ünï code.eyespot"
    lesson.classifier.save(path)
    again = eyespot.load(path)
    photo = folder / "grass" / "3.png"
    assert again.predict(photo).top == lesson.classifier.predict(photo).top
    assert again.predict(photo).label == "grass"
    assert again.training_photos is not None
    assert again.metrics["top1"] == lesson.evaluation.top1
    np.testing.assert_array_equal(again.training_photos.labels, lesson.labels)
    assert again.training_photos.features.thumbnails == lesson.features.thumbnails


def test_every_kind_of_picture_is_taken(lesson: TeachResult, folder: Path) -> None:
    path = folder / "brick" / "0.png"
    with Image.open(path) as picture:
        answers = [
            lesson.classifier.predict(x).top[0]
            for x in (path, str(path), path.read_bytes(), picture, np.asarray(picture))
        ]
    assert len({label for label, _ in answers}) == 1
    assert np.ptp([probability for _, probability in answers]) < 1e-3


def test_strange_pictures_are_none_of_these(lesson: TeachResult) -> None:
    strange = np.zeros((64, 64, 3), np.uint8)
    strange[:, ::8] = (255, 0, 0)
    assert lesson.classifier.predict(strange).unknown
    assert lesson.classifier.predict(strange).label is None


def test_teach_it_more_without_its_photos(lesson: TeachResult, tmp_path: Path) -> None:
    path = tmp_path / "two.eyespot"
    photos = [*patches("brick", 10), *patches("grass", 10)]
    teach(photos, ["brick"] * 10 + ["grass"] * 10, budget=0).classifier.save(path)
    classifier = load(path)
    assert classifier.add_class("gravel", [*patches("gravel", 10), b"broken"])[0].reason
    assert classifier.classes == ("brick", "grass", "gravel")
    new = patches("gravel", 3, seed=9)
    assert [classifier.predict(p).top[0][0] for p in new] == ["gravel"] * 3
    classifier.rename_class("gravel", "Kies, grob")
    with pytest.raises(UsageError, match="already"):
        classifier.rename_class("brick", "grass")
    with pytest.raises(UsageError, match="no class"):
        classifier.remove_class("gravel")
    classifier.remove_class("grass")
    classifier.save(path)
    again = load(path)
    assert again.classes == ("brick", "Kies, grob")
    assert again.predict(new[0]).top[0][0] == "Kies, grob"
    with pytest.raises(UsageError, match="two classes"):
        again.remove_class("brick")


def test_onto_keeps_what_was_known(lesson: TeachResult, tmp_path: Path) -> None:
    sand = [(p // 3 + 120).astype(np.uint8) for p in patches("gravel", 8)]
    more = teach(sand, ["sand"] * 8, onto=lesson.classifier)
    assert more.classifier.classes == ("brick", "grass", "gravel", "sand")
    assert more.evaluation.count == 56


def test_forgotten_photos_are_not_in_the_file(folder: Path, tmp_path: Path) -> None:
    forgetful = teach(folder, forget_photos=True, budget=0).classifier
    forgetful.save(tmp_path / "f.eyespot")
    again = load(tmp_path / "f.eyespot")
    assert again.training_photos is None
    assert again.predict(folder / "brick" / "0.png").top[0][0] == "brick"
    with pytest.raises(UsageError, match="keeps no features"):
        again.add_class("x", [np.zeros((9, 9, 3), np.uint8)])


def test_copies_never_stand_on_both_sides() -> None:
    labels = np.repeat([0, 1], 30)
    groups = np.arange(60)
    groups[10:20] = 10
    division = split_photos([None] * 60, labels, groups)
    for folds in division.repeats:
        for train, test in folds:
            assert not set(groups[train]) & set(groups[test])
    splits = ["train"] * 15 + ["test"] * 15 + ["train"] * 30
    division = split_photos(splits, labels, groups)
    assert not set(groups[division.train]) & set(groups[division.test])
    assert division.dropped == [10, 11, 12, 13, 14]


def test_a_given_test_split_is_what_is_judged(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", 12)
    write_folder(tmp_path / "test", 5)
    found = teach(tmp_path, budget=0)
    assert found.evaluated_on == "the test split"
    assert found.findings  # the test's patches are copies of those to learn from


def test_a_class_that_only_the_test_has_is_left_out_and_told(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", 12)
    write_folder(tmp_path / "test", 3, ("brick", "grass", "gravel"))
    found = teach(tmp_path, budget=0)
    assert found.classifier.classes == ("brick", "grass")
    assert found.evaluation.count == 6
    assert [one.reason for one in found.skipped] == ["gravel has no photo to train on"] * 3
    said = " ".join(finding.message for finding in found.findings)
    assert "gravel has 3 test photos and no training photos" in said
    assert "gravel" not in advice(found.evaluation)


def test_it_is_said_which_accuracy_is_nested(
    lesson: TeachResult, capsys: pytest.CaptureFixture[str]
) -> None:
    nested = "held-out photos by nested cross-validation, model selection inside"
    made = lesson.classifier
    print_figures(lesson.figures(Path("photos"), verbose=True))
    said = capsys.readouterr().out
    assert f"Accuracy  {percent(lesson.evaluation.top1)}  95% CI" in said
    assert "cross-validated, model selection included" in " ".join(said.split())
    assert "Candidates (cross-validated accuracy of each alone, selection not included)" in said
    assert [one.path for one in lesson.mistakes if f"  {one.path}: predicted" not in said] == []
    assert not re.search(r"\d%", lesson.reason)
    assert f"on {nested} (95% CI" in model_card(
        made.classes, made.backbone, made.recipe, made.metrics
    )
    assert lesson.to_dict()["evaluated_on"] == nested


def test_a_class_without_photos_to_train_on_is_no_reason_to_add_ten(tmp_path: Path) -> None:
    """All its photos are copies of test photos."""
    write_folder(tmp_path / "train", 12, ("brick", "grass"))
    for split in ("train", "test"):
        write_folder(tmp_path / split, 5, ("gravel",))
    lesson = teach(tmp_path, budget=0)
    told = lesson.to_dict()["advice"]
    assert lesson.trained is not None
    assert lesson.trained.tolist() == [12, 12, 0]
    assert told.startswith("No photos to train on: gravel.")
    assert "misclassified as" not in told


@pytest.mark.parametrize("sizes", [(1, 1), (1, 12), (2, 3)])
def test_few_photos_still_teach(sizes: tuple[int, int]) -> None:
    photos = [*patches("brick", sizes[0]), *patches("grass", sizes[1])]
    found = teach(photos, ["brick"] * sizes[0] + ["grass"] * sizes[1])
    assert found.classifier.predict(patches("grass", 1, seed=5)[0]).top
    assert any(finding.kind == "few photos" for finding in found.findings)


@pytest.mark.slow
def test_many_classes(tmp_path: Path) -> None:
    photos = [
        Photo(f"{i}", MemorySource(p), str(i // 2)) for i, p in enumerate(patches("grass", 120))
    ]
    found = teach(Dataset(tuple(photos)))
    assert len(found.classifier.classes) == 60
    write_report(found, tmp_path / "r.html")


def test_what_cannot_be_taught_says_why(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="at least 2 classes"):
        teach(patches("brick", 3), ["brick"] * 3)
    with pytest.raises(DatasetError, match="no file or folder"):
        teach(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="of at least two classes"):
        teach([b"x", *patches("brick", 3)], ["grass", *["brick"] * 3])


def test_examination(lesson: TeachResult, tmp_path: Path) -> None:
    new = [*patches("brick", 6, seed=3), *patches("grass", 6, seed=3)]
    exam = evaluate(lesson.classifier, new, ["brick"] * 6 + ["grass"] * 6)
    assert exam.evaluation.count == 12
    assert exam.evaluation.top1 > 0.8
    assert not exam.known
    with pytest.raises(DatasetError, match="found also sand"):
        evaluate(lesson.classifier, new, ["sand"] * 12)


def test_a_file_cut_anywhere_is_an_error(lesson: TeachResult, tmp_path: Path) -> None:
    whole = tmp_path / "whole.eyespot"
    lesson.classifier.save(whole)
    content = whole.read_bytes()
    cut = tmp_path / "cut.eyespot"
    for size in range(0, len(content), max(1000, len(content) // 150)):
        cut.write_bytes(content[:size])
        with pytest.raises(ClassifierFileError):
            load(cut)
    assert isinstance(load(whole), Classifier)


def test_foreign_and_future_files(lesson: TeachResult, tmp_path: Path) -> None:
    import json
    import zipfile

    path = tmp_path / "x.eyespot"
    with pytest.raises(ClassifierFileError, match="found none"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("holiday.txt", "hello")
    with pytest.raises(ClassifierFileError, match=r"manifest\.json is missing"):
        load(path)
    for manifest, words in (
        ({"format": "other"}, "not an eyespot classifier"),
        ({"format": "eyespot-classifier", "format_version": 99}, "Upgrade"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", json.dumps(manifest))
        with pytest.raises(ClassifierFileError, match=words):
            load(path)


def test_neighbours_cannot_be_forgotten(folder: Path) -> None:
    with pytest.raises(UsageError, match="need the photos' features"):
        teach(folder, method="knn", forget_photos=True)


def test_more_is_taught_with_the_same_network(lesson: TeachResult, folder: Path) -> None:
    with pytest.raises(UsageError, match="efficientnet_lite1"):
        teach(folder, onto=lesson.classifier, backbone="efficientnet_lite1")


def test_a_file_with_other_features_is_refused(
    lesson: TeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.eyespot"
    with monkeypatch.context() as patch:
        patch.setattr("eyespot.tasks.backbone_of_file.POOLING", 1)
        lesson.classifier.save(path)
    with pytest.raises(ClassifierFileError, match="version 1"):
        load(path)


def test_a_file_keeps_the_blocks_it_was_taught_with(
    lesson: TeachResult, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later eyespot may read other blocks from the same network; old files stay as they were."""
    path, photo = tmp_path / "old.eyespot", folder / "grass" / "3.png"
    lesson.classifier.save(path)
    before = lesson.classifier.predict(photo).top
    network = zoo.find("efficientnet_lite0")
    later = replace(network, feature_blocks=("stage5.mean", "top.mean"))
    monkeypatch.setitem(zoo.NETWORKS, network.name, later)
    assert load(path).predict(photo).top == before


def test_what_was_asked_about_is_told(folder: Path, tmp_path: Path) -> None:
    for split, names in (("train", range(8)), ("val", range(8, 12))):
        for name in ("brick", "grass"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in names:
                photo = folder / name / f"{number}.png"
                shutil.copy(photo, tmp_path / split / name)
    lesson = teach(tmp_path, method="prototypes")
    assert lesson.evaluated_on == "the validation split"
    assert lesson.evaluation.count == 8


def test_photos_that_all_look_the_same_teach_nothing(folder: Path) -> None:
    with pytest.raises(DatasetError, match="duplicates of one photo"):
        teach([folder / "grass" / "3.png"] * 6, ["a", "b"] * 3)


def test_many_are_asked_about_in_all_forms(
    lesson: TeachResult, folder: Path, tmp_path: Path
) -> None:
    path = folder / "grass" / "3.png"
    with Image.open(path) as picture:
        missing = tmp_path / "missing.png"
        forms: list[PhotoLike] = [path, str(path), path.read_bytes(), picture, missing]
        answers = list(lesson.classifier.predict_batch(forms))
    assert [answer.label for answer in answers if not answer.error] == ["grass"] * 4
    assert ["missing.png" in answer.path for answer in answers if answer.error] == [True]


def test_a_class_is_added_from_a_folder(lesson: TeachResult, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.eyespot"
    lesson.classifier.save(path)
    classifier = load(path)
    classifier.remove_class("gravel")
    assert classifier.add_class("gravel", folder / "gravel") == []
    assert classifier.classes == ("brick", "grass", "gravel")
    for wrong in ("", " "):
        with pytest.raises(UsageError, match="a text that is not empty"):
            classifier.rename_class("grass", wrong)


def test_numbers_that_make_no_sense(lesson: TeachResult, folder: Path) -> None:
    with pytest.raises(UsageError, match="budget"):
        teach(folder, budget=-1)
    with pytest.raises(UsageError, match="top"):
        lesson.classifier.predict(folder / "grass" / "3.png", top=0)
