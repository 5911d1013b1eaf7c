"""A network that gives no usable numbers ends in a sentence, wherever it is asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from eyespot import load
from eyespot.errors import DatasetError, EyespotError, PhotoError, WeightsError
from eyespot.explain.photo import explain_photo
from eyespot.features.engines import Engine, OpenVinoEngine, TorchEngine
from eyespot.features.usable import LARGEST, fault_of
from eyespot.imagenet_eval.predict import top_five
from eyespot.imagenet_eval.views import Views
from eyespot.serve.batcher import Batcher
from eyespot.serve.decoders import Decoders
from eyespot.serve.metrics import Metrics
from eyespot.serve.shelf import Shelf
from eyespot.studio.trainer import Trained
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.evaluate import evaluate
from eyespot.tasks.classification.teach import teach
from tests.data.files import encode
from tests.pictures import patches, write_folder

WRONG = {"nan": np.nan, "infinite": np.inf, "large": 70_000.0}
SAYS = r"weights are damaged"


@pytest.mark.parametrize("value", [0.0, -LARGEST, LARGEST])
def test_numbers_that_can_be_kept(value: float) -> None:
    assert not fault_of(np.array([1.0, value], np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 65_505.0, -1e30])
def test_numbers_that_cannot(value: float) -> None:
    assert SAYS in fault_of(np.array([1.0, value], np.float32))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, network: Path) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("taught")
    photos = write_folder(folder / "photos", 6)
    lesson = teach(photos, method="prototypes", backbone=str(network), use_cache=False)
    path = folder / "a.eyespot"
    lesson.classifier.save(path)
    return photos, path


@pytest.fixture(params=WRONG)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All networks give such a number among the others."""
    for kind in (OpenVinoEngine, TorchEngine):
        whole = kind.run

        def run(self: Any, pictures: NDArray[np.uint8], whole: Any = whole) -> NDArray[np.float32]:
            features: NDArray[np.float32] = whole(self, pictures)
            features[:, 3] = WRONG[request.param]
            return features

        monkeypatch.setattr(kind, "run", run)


@pytest.mark.usefixtures("broken")
def test_every_way_to_ask(taught: tuple[Path, Path], network: Path, decoders: Decoders) -> None:
    photos, path = taught
    picture = patches("grass", 1)[0]
    with pytest.raises(DatasetError, match=SAYS):
        teach(photos, backbone=str(network), use_cache=False)
    classifier = load(path)
    assert isinstance(classifier, Classifier)
    with pytest.raises(PhotoError, match=SAYS):
        classifier.predict(picture)
    assert all(SAYS in answer.error for answer in classifier.predict_batch([picture] * 3))
    with pytest.raises(DatasetError, match=SAYS):
        evaluate(classifier, photos)
    with pytest.raises(WeightsError, match=SAYS):
        explain_photo(classifier, picture)
    with pytest.raises(PhotoError, match=SAYS):
        Trained(0, classifier).predict(picture)
    with pytest.raises(EyespotError, match=SAYS):
        Shelf([path], decoders, 9, Metrics())
    batcher = Batcher(classifier, decoders)
    try:
        with pytest.raises(PhotoError, match=SAYS):
            batcher.submit([("a", encode(Image.fromarray(picture), "PNG"))])[0].result()
    finally:
        batcher.close()


@pytest.mark.usefixtures("broken")
def test_judging(backbone: Any) -> None:
    from eyespot.features.engines import open_engine

    engine: Engine = open_engine(backbone)
    size = backbone.preprocessing.size
    with pytest.raises(WeightsError, match=SAYS):
        list(
            top_five(np.zeros((1, size, size, 3), np.uint8), Views(backbone.preprocessing), engine)
        )


def test_one_photo_does_not_stop_the_others(
    taught: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = load(taught[1])
    assert isinstance(classifier, Classifier)
    features = classifier.engine.run(
        np.stack([classifier.prepare(picture) for picture in patches("grass", 3)])
    )
    expected = classifier.predict_features(list("abc"), features)
    features[1, 0] = np.nan
    found = classifier.predict_features(list("abc"), features)
    assert [answer.path for answer in found] == list("abc")
    assert SAYS in found[1].error
    assert not found[1].top
    assert (found[0].label, found[2].label) == (expected[0].label, expected[2].label)
