"""An explanation of a prediction, and its page."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import PhotoError, UsageError
from eyespot.explain.occlusion import CELLS
from eyespot.explain.photo import NEAREST, Explanation, explain_photo
from eyespot.explain.photo_page import draw_explanation
from eyespot.tasks.classification.classifier import Classifier
from tests.pictures import patches

NAMES = ("brick", "grass", "gravel")


@pytest.fixture(scope="module")
def classifier(
    network: Path, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Classifier]:
    """Trained on wide patches, to tell proportions apart."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "networks").symlink_to(converted_networks, target_is_directory=True)
    photos = [patch[:48] for name in NAMES for patch in patches(name, 8)]
    labels = [name for name in NAMES for _ in range(8)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(folder))
        yield eyespot.teach(photos, labels, method="svm", backbone=str(network)).classifier


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return patches("grass", 1)[0][:48]  # one of those that were taught


@pytest.fixture(scope="module")
def explanation(classifier: Classifier, photo: np.ndarray) -> Explanation:
    return explain_photo(classifier, photo)


def test_it_explains_the_answer(
    explanation: Explanation, classifier: Classifier, photo: np.ndarray
) -> None:
    answer = classifier.predict(photo)
    assert explanation.label == answer.top[0][0] == explanation.prediction.top[0][0]
    assert explanation.probability == pytest.approx(answer.probability, abs=0.02)
    assert explanation.rival[0] == answer.top[1][0]
    assert explanation.rival[1] == pytest.approx(answer.top[1][1], abs=0.02)
    assert explanation.gap == explanation.probability - explanation.rival[1] > 0
    assert explanation.image.shape == (32, 32, 3)
    assert explanation.aspect == 2
    assert explanation.occlusion.shape == (CELLS, CELLS)
    assert 0 <= explanation.attention.min() <= explanation.attention.max() <= 1


def test_the_most_similar_training_photos_are_named(
    explanation: Explanation, classifier: Classifier
) -> None:
    taught = classifier.training_photos
    assert explanation.near is not None
    assert taught is not None
    assert len(explanation.near) == NEAREST
    first = explanation.near[0]
    row = taught.features.names.index(first.name)
    assert row == 8  # the photo itself
    assert first.label == classifier.classes[taught.labels[row]] == "grass"
    assert first.similarity == pytest.approx(1, abs=0.01)
    assert first.thumbnail == taught.features.thumbnails[row]
    alike = [near.similarity for near in explanation.near]
    assert alike == sorted(alike, reverse=True)
    assert alike[1] < 0.9999


def test_a_classifier_without_photos_says_so(classifier: Classifier, photo: np.ndarray) -> None:
    forgetful = replace(classifier, _training_photos=None)
    found = explain_photo(forgetful, photo)
    assert found.near is None
    assert found.to_dict()["near"] is None


def test_why_not_another(classifier: Classifier, photo: np.ndarray) -> None:
    found = explain_photo(classifier, photo, "brick")
    assert found.label == "brick"
    assert found.rival[0] == "grass"
    assert found.gap < 0
    assert found.prediction.top[0][0] == "grass"
    assert found.answer.startswith("why not brick, ")
    assert found.change is None or found.change.label == "brick"
    again = explain_photo(classifier, photo)
    assert not np.array_equal(found.attention, again.attention)
    assert not np.array_equal(found.occlusion, again.occlusion)


def test_a_change_holds(classifier: Classifier, photo: np.ndarray) -> None:
    """The prediction of the covered photo is the one that the change promises."""
    for one in [photo, *(patch[:48] for patch in patches("gravel", 6, seed=5))]:
        found = explain_photo(classifier, one)
        if found.change is None:
            continue
        covered = found.image.copy()
        for left, top, right, bottom in found.change.boxes:
            covered[top:bottom, left:right] = np.round(classifier.backbone.preprocessing.mean)
        answer = classifier.predict(covered)
        assert answer.top[0][0] == found.change.label != found.label
        assert answer.probability == pytest.approx(found.change.probability, abs=0.03)
        return
    pytest.fail("no answer changes: choose other photos")


def test_an_unknown_photo_is_none_of_these(classifier: Classifier, photo: np.ndarray) -> None:
    found = explain_photo(replace(classifier, ood_threshold=-1.0), photo)
    assert found.answer.startswith("none of these, the nearest is grass, ")


def test_it_is_plain_values(explanation: Explanation) -> None:
    found = json.loads(json.dumps(explanation.to_dict()))
    assert np.shape(found["occlusion"]) == (CELLS, CELLS)
    assert found["label"] == "grass"
    assert found["near"][0]["label"] == "grass"
    if found["change"]:
        for left, top, right, bottom in found["change"]["squares"]:
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1


def test_pictures_come_as_for_predict(
    classifier: Classifier, photo: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(photo).save(path)
    called = Photo("called", MemorySource(photo))
    names: dict[str, Any] = {"photo": photo, str(path): path, "called": called}
    for name, picture in names.items():
        found = explain_photo(classifier, picture)
        assert found.prediction.path == name
        assert found.label == "grass"


def test_errors(classifier: Classifier, photo: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"no class 'cat'; the classes are brick, grass, gravel"):
        explain_photo(classifier, photo, "cat")
    with pytest.raises(UsageError, match="did you mean 'gravel'"):
        explain_photo(classifier, photo, "Gravel")
    with pytest.raises(PhotoError, match="not an image"):
        explain_photo(classifier, b"not a picture at all")
    with pytest.raises(UsageError, match="needs two classes or more"):
        explain_photo(replace(classifier, classes=("grass",)), photo)


# --- the page -----------------------------------------------------------------------------------


def test_all_is_on_the_page(explanation: Explanation) -> None:
    whole = draw_explanation(explanation)
    poor = draw_explanation(replace(explanation, near=None, change=None))
    assert whole.width > poor.width > 900
    assert max(whole.size) < 2000
    pixels = np.asarray(whole).astype(int)
    shown = Image.fromarray(explanation.image).resize((300, 150), Image.Resampling.BICUBIC)
    top = 24 + 22 + 24 + 15 + 12
    assert np.array_equal(pixels[top : top + 150, 24:324], np.asarray(shown))
    assert explanation.near is not None
    with Image.open(BytesIO(explanation.near[0].thumbnail)) as thumbnail:
        small = np.asarray(thumbnail.convert("RGB")).astype(int)
    high, wide = small.shape[:2]
    at = pixels[top + 96 - high : top + 96, whole.width - 24 - 324 : whole.width - 24 - 324 + wide]
    assert np.array_equal(at, small)


@pytest.mark.parametrize("aspect", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("name", ["x" * 500, "a\nb\x1b[31m", "\U0001f431", ""])
def test_odd_names_and_shapes_are_drawn(explanation: Explanation, name: str, aspect: float) -> None:
    odd = replace(
        explanation,
        label=name,
        aspect=aspect,
        prediction=replace(explanation.prediction, path=name),
    )
    assert draw_explanation(odd).width < 4000
