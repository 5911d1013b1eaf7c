"""Classifiers go through forks, pickles and copies; what they show of themselves is short."""

import copy
import faulthandler
import gc
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import eyespot
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import DatasetError, EyespotError, UsageError, WeightsError
from eyespot.features import own_weights
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.own_weights import own_file
from eyespot.forking import in_children, lock_for_forks
from eyespot.heads.estimators import LogisticHead
from eyespot.models import create
from eyespot.shown import shown
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.result import TeachResult
from eyespot.tasks.classification.teach import teach
from tests.pictures import patches

PICTURES = [patch for name in ("brick", "grass") for patch in patches(name, 8)]
LABELS = ["brick"] * 8 + ["grass"] * 8


@pytest.fixture
def lesson(network: Path) -> TeachResult:
    return teach(PICTURES, LABELS, backbone=str(network), method="prototypes")


def in_child(work: Callable[[], Any]) -> str:
    """What `work` returns in a forked child, as text; an error's text if it raises one."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of forks with threads; here they work
        child = os.fork()
    if child == 0:
        faulthandler.register(signal.SIGALRM, chain=True)  # says where it waits
        signal.alarm(120)  # one that waits for ever ends
        try:
            answer = str(work())
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as file:  # noqa: PTH123
        answer = file.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child ended with {os.waitstatus_to_exitcode(status)}"
    return answer


def answers(classifier: Classifier) -> list[tuple[str | None, float]]:
    one = classifier.predict(PICTURES[0])
    return [(a.label, a.probability) for a in (one, *classifier.predict_batch(PICTURES))]


def test_a_forked_child_answers(lesson: TeachResult) -> None:
    classifier = lesson.classifier
    known = answers(classifier)
    begun = classifier.predict_batch(PICTURES * 20)
    next(begun)

    def work() -> object:
        assert answers(classifier) == known
        classifier.add_class("gravel", patches("gravel", 6))
        grandchild = in_child(lambda: classifier.predict(PICTURES[0]).top[0][0])
        with pytest.raises(UsageError, match="of its parent"):
            list(begun)
        return classifier.classes, grandchild

    assert in_child(work) == "(('brick', 'grass', 'gravel'), 'brick')"
    assert classifier.classes == ("brick", "grass")
    assert answers(classifier) == known
    begun.close()  # type: ignore[attr-defined]


def test_a_forked_child_answers_where_another_classifier_was_let_go(network: Path) -> None:
    """Its compiled network's threads lie idle in the parent, and are not there in the child."""
    known = answers(teach(PICTURES, LABELS, backbone=str(network), method="prototypes").classifier)
    gc.collect()
    classifier = teach(PICTURES, LABELS, backbone=str(network), method="prototypes").classifier
    assert in_child(lambda: answers(classifier) == known) == "True"


def test_torch_answers_in_a_forked_child(lesson: TeachResult) -> None:
    classifier = lesson.classifier
    classifier.engine = open_engine(classifier.backbone, "torch")
    known = classifier.predict(PICTURES[0]).label
    assert in_child(lambda: classifier.predict(PICTURES[0]).label) == known


def test_a_forked_child_has_a_connection_of_its_own(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache.sqlite3")
    before: sqlite3.Connection | None = cache._database
    assert in_child(lambda: (cache._database is not before, cache.info().photos)) == "(True, 0)"
    assert cache._database is before
    assert pickle.loads(pickle.dumps(cache)).path == cache.path
    cache.close()


def test_a_fork_waits_for_a_lock() -> None:
    lock = lock_for_forks()
    with lock:
        assert in_child(lambda: lock.acquire(timeout=5)) == "True"
    seen: list[int] = []
    in_children(lambda: seen.append(1))
    assert in_child(lambda: seen) == "[1]"
    assert seen == []


def test_gpus_say_that_they_cannot_be_forked(
    lesson: TeachResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(lesson.classifier.backbone, "torch")

    def forked(pictures: object) -> None:
        raise RuntimeError("Cannot re-initialize CUDA in forked subprocess.")

    monkeypatch.setattr(engine, "_module", forked)
    with pytest.raises(UsageError, match="spawn"):
        engine.run(np.zeros((1, 32, 32, 3), np.uint8))


COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_answer_alike(lesson: TeachResult, tmp_path: Path, how: str) -> None:
    taught = lesson.classifier
    taught.save(tmp_path / "c.eyespot")
    for classifier in (taught, eyespot.load(tmp_path / "c.eyespot")):
        for _ in ("before the first answer", "after it"):
            other = COPIES[how](classifier)
            assert answers(other) == answers(classifier)
            assert other.training_photos is not None
            assert other.training_photos.features.names == lesson.features.names
        other.rename_class("brick", "wall")
        assert classifier.classes == ("brick", "grass")
    assert COPIES[how](lesson).classifier.classes == taught.classes
    assert COPIES[how](taught.engine).layout == taught.engine.layout
    assert COPIES[how](taught.backbone) == taught.backbone


def test_a_pickle_brings_its_own_network(
    lesson: TeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = lesson.classifier
    known, content = answers(classifier), pickle.dumps(classifier)
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path))  # another machine
    monkeypatch.setattr(own_weights, "_kept", {})
    monkeypatch.setattr(own_weights, "_unkept", {})
    with pytest.raises(WeightsError), own_file(classifier.backbone.sha256):
        pass
    assert answers(pickle.loads(content)) == known


def test_a_loaded_classifier_finds_its_photos_from_elsewhere(
    lesson: TeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lesson.classifier.save("c.eyespot")
    content = pickle.dumps(eyespot.load("c.eyespot"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert pickle.loads(content).training_photos is not None


def test_another_process_takes_it(lesson: TeachResult, tmp_path: Path) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")  # which joblib and Ray use
    lesson.classifier.predict(PICTURES[0])
    (tmp_path / "c.pickle").write_bytes(cloudpickle.dumps((lesson.classifier, PICTURES[0])))
    program = """
import pickle, sys
classifier, picture = pickle.load(open(sys.argv[1], "rb"))
print(classifier.predict(picture).label, "torch" in sys.modules)
"""
    line = [sys.executable, "-c", program, str(tmp_path / "c.pickle")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stdout == "brick False\n", done.stderr


def test_heads_and_networks_are_copied() -> None:
    features = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    labels = np.arange(20) % 2
    head = clone(LogisticHead()).fit(features, labels)
    other = pickle.loads(pickle.dumps(head))
    np.testing.assert_array_equal(other.predict(features), head.predict(features))
    for name in ("resnet20", "lenet5"):
        assert len(pickle.loads(pickle.dumps(create(name))).state_dict()) == len(
            copy.deepcopy(create(name)).state_dict()
        )


def test_a_notebook_shows_it_escaped(lesson: TeachResult, tmp_path: Path) -> None:
    classifier = replace(lesson.classifier, classes=("<b>brick", "grass"))
    wrong = eyespot.evaluate(classifier, PICTURES, ["grass"] * len(PICTURES))
    page = wrong._repr_html_()
    assert "&lt;b&gt;brick" in page
    assert "<b>brick" not in page + classifier._repr_html_()
    assert page.count("data:image/jpeg;base64,") == min(12, len(wrong.mistakes)) > 0
    assert "95% CI" in page
    for thing in (lesson, classifier, wrong):
        assert len(repr(thing).splitlines()) <= 5
    wrong.report(tmp_path / "wrong.html")
    assert "<html" in (tmp_path / "wrong.html").read_text()


def test_what_is_shown_is_short(lesson: TeachResult) -> None:
    classifier = lesson.classifier
    why = eyespot.explain(classifier, PICTURES[0])
    things = [
        *(classifier, lesson, lesson.features, lesson.dataset, lesson.evaluation, lesson.labels),
        *(lesson.findings, lesson.duplicates, lesson.dataset.photos[0], classifier.training_photos),
        *(
            classifier.scorer,
            classifier.ood_scorer,
            why,
            why.near,
            classifier.predict(PICTURES[0]),
        ),
        eyespot.evaluate(classifier, PICTURES, LABELS),
        Photo("a", MemorySource(bytes(1_000_000))),
        lesson.features.take(np.arange(16).repeat(1000)),
    ]
    for thing in things:
        text = repr(thing)
        assert len(text) < 2000, text[:200]
        assert "\\x" not in text
    assert repr(classifier).startswith("Classifier(2 classes: brick, grass; prototypes on resnet20")
    assert repr(lesson).startswith("TeachResult(accuracy ")
    same, other = (MemorySource(bytes([n]) * 100) for n in (0, 1))
    assert repr(same) == repr(MemorySource(bytes(100))) != repr(other)
    assert shown(["x" * 1000] * 1000) != shown(["y"])
    assert len(shown(["x" * 1000] * 1000)) < 400


def is_given(odd: Any) -> bool:
    """Not what stands for the default."""
    return isinstance(odd, np.ndarray) or bool(odd)


@pytest.mark.slow
def test_odd_arguments_are_told(lesson: TeachResult, tmp_path: Path) -> None:
    classifier = lesson.classifier
    long = "x" * 1_000_000
    attempts: list[Callable[[Any], object]] = [
        lambda odd: list(classifier.predict_batch(odd)),
        lambda odd: classifier.predict(PICTURES[0], top=odd),
        lambda odd: classifier.predict_batch(PICTURES, top=odd),
        lambda odd: classifier.add_class(odd, odd),
        lambda odd: classifier.add_photos("brick", odd),
        lambda odd: classifier.remove_class(odd),
        lambda odd: classifier.rename_class("brick", odd),
        lambda odd: classifier.rename_class(odd, "wall"),
        lambda odd: eyespot.explain(classifier, PICTURES[0], odd) if is_given(odd) else None,
        lambda odd: eyespot.explain(classifier, odd),
        lambda odd: eyespot.evaluate(classifier, odd, odd),
        lambda odd: eyespot.evaluate(classifier, PICTURES, odd),
        lambda odd: eyespot.teach(PICTURES, LABELS, method=odd),
        lambda odd: eyespot.teach(PICTURES, LABELS, backbone=odd),
        lambda odd: eyespot.teach(PICTURES, LABELS, onto=odd) if is_given(odd) else None,
        lambda odd: eyespot.teach(PICTURES, LABELS, budget=odd) if is_given(odd) else None,
        lambda odd: eyespot.open_photos(odd, odd),
        eyespot.load,
        eyespot.find_photos,
        classifier.save,
    ]
    odd_ones: list[Any] = [None, b"", b"ab", {}, [], [[]], np.zeros((0, 2)), long, object(), -1.5]
    wrong: list[str] = []
    for number, attempt in enumerate(attempts):
        for odd in odd_ones:
            try:
                attempt(odd)
            except EyespotError as error:
                if len(str(error)) > 700:
                    wrong.append(f"{number} {type(odd)}: {str(error)[:100]}")
            except Exception as error:
                wrong.append(f"{number} {type(odd)}: {error!r}"[:300])
    assert "\n".join(wrong) == ""
    with pytest.raises(DatasetError, match="Expected a list of photos"):
        classifier.predict_batch("cat.jpg")
    (answer, other) = classifier.predict_batch([None, PICTURES[0]])  # type: ignore[list-item]
    assert "got None" in answer.error
    assert other.label in classifier.classes  # b"ab" is a name, too
