"""A trained network as a classifier, in a file, and as a backbone that is taught with."""

import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from eyespot.errors import ClassifierFileError, UsageError, WeightsError
from eyespot.features.backbone import LOGITS, load_backbone
from eyespot.features.cache_folder import cache_folder
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.classification.train import CLASSIFIER, Training, as_classifier, train_on
from eyespot.tasks.task import load
from eyespot.training.checkpoint import BEST, LAST
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan
from eyespot.weights import zoo
from eyespot.weights.store import read_description
from eyespot.weights.write import packed
from eyespot.weights.zoo import create

CLASSES = ("dark", "light")


def squares(count: int, seed: int) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Noise, dark or light, 32 x 32."""
    rng = np.random.default_rng(seed)
    labels = [CLASSES[index % 2] for index in range(count)]
    pictures = [
        (rng.integers(0, 100, (32, 32, 3)) + 120 * CLASSES.index(name)).astype(np.uint8)
        for name in labels
    ]
    return pictures, labels


def as_pictures(count: int, seed: int) -> ImageSet:
    pictures, labels = squares(count, seed)
    return ImageSet(np.stack(pictures), np.array([CLASSES.index(n) for n in labels]), CLASSES)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Training:
    pictures, labels = squares(80, 0)
    plan = Plan("lenet5", epochs=2, batch_size=16, learning_rate=0.02)
    return train_on(pictures, plan, tmp_path_factory.mktemp("run"), labels=labels)


@pytest.fixture
def classifier(trained: Training) -> Classifier:
    learn, val, test = (as_pictures(40, seed) for seed in (1, 2, 3))
    return as_classifier(trained.trained, trained.path, learn, val, test)


def test_it_answers_what_the_network_answers(trained: Training, classifier: Classifier) -> None:
    pictures, labels = squares(20, 4)
    ours = [classifier.predict(picture) for picture in pictures]
    assert [answer.top[0][0] for answer in ours] == labels
    grey = np.stack(pictures) @ np.array([0.299, 0.587, 0.114])  # lenet5 sees grey
    mean, std = trained.trained.preprocessing.mean[0], trained.trained.preprocessing.std[0]
    x = torch.from_numpy((grey[:, None] - mean) / std).float()
    with torch.inference_mode():
        logits = create("lenet5", weights=trained.path).eval()(x)
    expected = (logits / classifier.temperature).softmax(1).amax(1).numpy()
    assert np.allclose([answer.probability for answer in ours], expected, atol=0.02)


def test_the_classifier_normalises_pixels_as_the_training_did(tmp_path: Path) -> None:
    pictures, labels = squares(40, 0)
    plan = Plan("lenet5", epochs=1, batch_size=16, learning_rate=1e-4, normalisation="mean")
    done = train_on(pictures, replace(plan, precision="fp32"), tmp_path, labels=labels)
    pixels = done.trained.preprocessing
    assert pixels.mean[0] == pytest.approx(np.mean(pictures), abs=2)
    assert pixels.std == (1.0, 1.0, 1.0)
    classifier = load(tmp_path / "classifier.eyespot")
    assert classifier.backbone.preprocessing == pixels
    assert load_backbone(str(done.path)).preprocessing == replace(pixels, fit="stretch")
    grey = np.stack(pictures) @ np.array([0.299, 0.587, 0.114])
    with torch.inference_mode():
        logits = done.trained.network(torch.from_numpy(grey[:, None] - pixels.mean[0]).float())
    expected = (logits / classifier.temperature).softmax(1).numpy()[:, CLASSES.index("light")]
    asked = [dict(classifier.predict(picture).top) for picture in pictures]
    assert np.allclose([answer["light"] for answer in asked], expected, atol=0.02)


def test_what_it_knows_of_itself_is_measured_on_the_test_pictures(classifier: Classifier) -> None:
    assert classifier.metrics["count"] == 40
    assert classifier.metrics["evaluated_on"] == "the test split"
    assert classifier.metrics["top1"] == 1.0
    assert 0 < classifier.metrics["rejection"]["known_rejected"] < 0.2


def test_without_validation_nothing_is_refused(trained: Training) -> None:
    bare = as_classifier(trained.trained, trained.path, as_pictures(40, 1), None, None)
    assert bare.metrics == {}
    assert not bare.predict(np.zeros((32, 32, 3), np.uint8)).unknown


def test_its_file_holds_the_network(classifier: Classifier, tmp_path: Path) -> None:
    file = tmp_path / "own.eyespot"
    classifier.save(file)
    shutil.rmtree(cache_folder() / "own")  # as on another machine
    again = load(file)
    picture = squares(1, 5)[0][0]
    assert again.predict(picture) == classifier.predict(picture)
    assert again.backbone == classifier.backbone
    assert again.backbone.blocks[0] == LOGITS


def test_a_file_with_another_network_is_an_error(classifier: Classifier, tmp_path: Path) -> None:
    file, other = tmp_path / "own.eyespot", tmp_path / "other.eyespot"
    classifier.save(file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            flipped = content[:-1] + bytes([content[-1] ^ 1])
            new.writestr(name, flipped if name == "network.safetensors" else content)
    with pytest.raises(ClassifierFileError, match="network is not the one"):
        load(other)


def test_a_damaged_copy_in_the_cache_is_found_out(classifier: Classifier, tmp_path: Path) -> None:
    file = tmp_path / "own.eyespot"
    classifier.save(file)
    [copy] = (cache_folder() / "own").iterdir()
    copy.write_bytes(copy.read_bytes()[:-1] + b"?")
    with pytest.raises(WeightsError, match="Load the classifier again"):
        classifier.save(tmp_path / "again.eyespot")
    load(file).save(tmp_path / "again.eyespot")
    assert (tmp_path / "again.eyespot").read_bytes()


def test_it_serves_as_a_backbone(trained: Training, tmp_path: Path) -> None:
    pictures, labels = squares(40, 6)
    lesson = teach(pictures, labels, backbone=str(trained.path))
    assert lesson.evaluation.top1 > 0.9
    assert lesson.classifier.backbone.name == "lenet5"
    assert "ImageNet" not in lesson.reason  # whose classes its head has not
    file = tmp_path / "taught.eyespot"
    lesson.classifier.save(file)
    again = load(file)
    assert again.predict(pictures[0]) == lesson.classifier.predict(pictures[0])
    assert not again.add_photos("grey", squares(2, 7)[0])  # nothing skipped
    assert "grey" in again.classes


def test_a_file_that_is_no_network_of_ours_is_no_backbone(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    with pytest.raises(UsageError, match="does not exist"):
        load_backbone(str(tmp_path / "missing.safetensors"))
    foreign = tmp_path / "foreign.safetensors"
    save_file({"x": np.zeros(1, np.float32)}, foreign)
    with pytest.raises(WeightsError, match="eyespot weights NAME"):
        load_backbone(str(foreign))


def test_the_other_files_of_a_run_name_the_right_one(trained: Training) -> None:
    """They lie beside each other, and look alike."""
    folder = trained.path.parent
    for state in (LAST, BEST):
        with pytest.raises(WeightsError, match=re.escape(f"trained weights: {trained.path}")):
            load(folder / state)
    network = load(trained.path)
    assert network.classes == load(folder / CLASSIFIER).classes
    assert network.predict(np.zeros((40, 40, 3), np.uint8)).label in network.classes


def test_the_same_weights_are_the_same_file(trained: Training) -> None:
    network = zoo.find("lenet5")
    known = read_description(network, trained.path)
    with safe_open(trained.path, framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        source = file.metadata()["source"]
    for _ in range(4):  # safetensors has its header in another order every time
        assert packed(network, state, known, source) == trained.path.read_bytes()


def test_a_run_leaves_a_classifier_that_knows_how_good_it_is(trained: Training) -> None:
    assert trained.classifier is not None
    again = load(trained.path.parent / "classifier.eyespot")
    assert again.classes == CLASSES
    assert again.metrics["evaluated_on"] == "the validation split"
    assert again.metrics["count"] == trained.validated == 8
    assert again.temperature == trained.classifier.temperature
