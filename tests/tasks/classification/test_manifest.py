"""What a stranger's manifest and arrays may say: used as it is, or refused in one sentence."""

import contextlib
import copy
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from eyespot.arrays import unit_rows
from eyespot.cli.main import app
from eyespot.errors import ClassifierFileError, EyespotError, UsageError
from eyespot.evaluation import evaluate
from eyespot.features.backbone import CONFIDENCE, Backbone, load_backbone
from eyespot.features.cache_folder import cache_folder
from eyespot.features.extract import Features, thumbnail
from eyespot.heads.ood import OodScorer
from eyespot.heads.scorers import LinearScorer
from eyespot.tasks import file as classifier_file
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.tasks.classification.manifest import Model, packed_metrics, read_manifest
from eyespot.tasks.classification.model_card import model_card
from eyespot.tasks.classification.training_photos import (
    TrainingPhotos,
    photo_arrays,
    read_training_photos,
)
from eyespot.tasks.task import load
from eyespot.weights.zoo import find
from tests.abuse.tampered import zipped

WIDTH = 4
DEEP = json.loads("[" * 500 + "]" * 500)
ODD: tuple[Any, ...] = (
    *(..., None, True, 7, -1, 0, 1.5, float("nan"), float("inf"), 1e300, 10**30, 10**400),
    *("", "x", "\ud800", "\x1b[2J", "../../x", "x" * 100_000, "0" * 63, "G" * 64),
    *([], {}, [1, [2]], ["a", "a"], [""], ["\ud800", "b"], [None, None], DEEP, {"a": DEEP}),
)


def taught_classifier(classes: tuple[str, ...] = ("brick", "grass")) -> Classifier:
    """Complete but for sense: its features are numbers at random."""
    backbone, rng = load_backbone(), np.random.default_rng(0)
    layout = {
        block: slice(WIDTH * place, WIDTH * (place + 1))
        for place, block in enumerate((*backbone.blocks, CONFIDENCE))
    }
    count, truth = 10 * len(classes), np.repeat(np.arange(len(classes)), 10)
    picture = thumbnail(np.full((96, 96, 3), 128, np.uint8), 1.0)
    features = Features(
        names=tuple(f"{number}.jpg" for number in range(count)),
        sha256=tuple(f"{number:064x}" for number in range(count)),
        values=rng.random((count, WIDTH * len(layout)), np.float32).astype(np.float16),
        layout=layout,
        dhash=np.arange(count, dtype=np.uint64),
        thumbnails=(picture,) * count,
    )
    shares = rng.dirichlet(np.ones(len(classes)), count)
    return Classifier(
        classes=classes,
        backbone=backbone,
        recipe=Recipe("svm", (backbone.last,), 1.0),
        scorer=LinearScorer(
            rng.random((WIDTH, len(classes)), np.float32), np.zeros(len(classes), np.float32)
        ),
        ood_scorer=OodScorer(unit_rows(rng.random((count, WIDTH), np.float32))),
        metrics={
            **evaluate(shares, truth, classes).to_metrics(),
            "evaluated_on": "the test split",
            "source": ["A folder."],
            "rejection": {"ood_threshold": 0.1, "known_rejected": None},
        },
        _training_photos=TrainingPhotos(features, truth),
    )


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return taught_classifier()


@pytest.fixture
def path(classifier: Classifier, tmp_path: Path) -> Path:
    path = tmp_path / "m.eyespot"
    classifier.save(path)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_manifest(path: Path, manifest: dict[str, Any]) -> None:
    content = members(path) | {"manifest.json": json.dumps(manifest).encode()}
    path.write_bytes(zipped([*content.items()]))


# --- what is saved can be loaded -----------------------------------------------------------------


def test_all_of_it_comes_back(classifier: Classifier, path: Path) -> None:
    again = load(path)
    assert again.metrics == classifier.metrics
    assert (again.classes, again.recipe) == (classifier.classes, classifier.recipe)
    assert again.training_photos is not None
    assert classifier.training_photos is not None
    assert again.training_photos.features.sha256 == classifier.training_photos.features.sha256


def test_every_member_is_stored_as_it_is(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert {of.compress_type for of in archive.infolist()} == {zipfile.ZIP_STORED}


def many(count: int, name: str = "class {}") -> Classifier:
    classifier = taught_classifier()
    classifier.classes = tuple(name.format(number) for number in range(count))
    classifier.scorer = LinearScorer(
        np.zeros((WIDTH, count), np.float32), np.zeros(count, np.float32)
    )
    classifier.metrics = {}
    return classifier


def test_a_classifier_of_2700_classes_comes_back(tmp_path: Path) -> None:
    classifier, truth = many(2700), np.arange(2700)
    shares = np.zeros((2700, 2700))
    shares[truth, truth // 2] = 1
    found = evaluate(shares, truth, classifier.classes)
    classifier.metrics = {**found.to_metrics(), "evaluated_on": "the test split"}
    classifier.save(tmp_path / "m.eyespot")
    again = load(tmp_path / "m.eyespot")
    assert again.metrics == classifier.metrics
    rebuilt = np.zeros_like(found.confusion)
    for actual, predicted, count in again.metrics["confusion"]:
        rebuilt[actual, predicted] = count
    assert np.array_equal(rebuilt, found.confusion)


def test_a_classifier_of_10000_classes_comes_back(tmp_path: Path) -> None:
    classifier = many(10_000, "猫" * 50 + "{}")
    score = {"precision": 1 / 3, "recall": None, "f1": None, "support": 0}
    classifier.metrics = {
        **taught_classifier().metrics,
        "classes": list(classifier.classes),
        "per_class": [
            {"name": name, **score, "recall_interval": [0.0, 1.0]} for name in classifier.classes
        ],
        "confusion": [[number % 10_000, number // 10, 1] for number in range(100_000)],
    }
    classifier.save(tmp_path / "m.eyespot")
    assert load(tmp_path / "m.eyespot").metrics == classifier.metrics


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MAX_MANIFEST_BYTES", 100, "100 bytes"),
        ("MAX_MANIFEST_LISTS", 3, "3 lists"),
        ("MAX_MEMBER_BYTES", 1000, "1,000 bytes"),
    ],
)
def test_what_could_not_be_read_again_replaces_nothing(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    said: str,
) -> None:
    classifier, before = load(path), path.read_bytes()
    assert classifier.training_photos
    monkeypatch.setattr(classifier_file, limit, value)
    with pytest.raises(ClassifierFileError, match=f"more than {said}.*unchanged"):
        classifier.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with pytest.raises(ClassifierFileError):
        load(path).require_training_photos()


@pytest.mark.parametrize("classes", [("a", "a"), ("", "b"), ("\ud800", "b"), ("a",)])
def test_classes_that_could_not_be_read_again_replace_nothing(
    path: Path, classes: tuple[str, ...]
) -> None:
    classifier, before = load(path), path.read_bytes()
    classifier.classes = classes
    with pytest.raises(ClassifierFileError, match="cannot be saved"):
        classifier.save(path)
    assert path.read_bytes() == before


# --- what a stranger writes ----------------------------------------------------------------------


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    return classifier_file.read(path)[1]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value if isinstance(value, dict) else range(min(len(value), 2))
    for key in inner:
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*path, key))
        else:
            yield (*path, key)


def changed(manifest: dict[str, Any], place: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    new: Any = copy.deepcopy(manifest)
    inner = new
    for key in place[:-1]:
        inner = inner[key]
    if odd is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = odd
    return dict(new)


class Nothing:
    """An engine that sees nothing in any photo."""

    name, workers, batch = "nothing", 1, 1

    def __init__(self, blocks: Sequence[str]) -> None:
        places = enumerate((*blocks, CONFIDENCE))
        self.layout = {block: slice(WIDTH * n, WIDTH * (n + 1)) for n, block in places}

    def run(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.ones((len(pictures), WIDTH * len(self.layout)), np.float32)


def use(found: Model) -> None:
    """Everything that reads what the file said, once `load` has looked for the network."""
    classifier = Classifier(**vars(found))
    with contextlib.suppress(UsageError):
        find(classifier.backbone.name)
        assert "/" not in classifier.backbone.network
        assert classifier.backbone.extractor
    classifier.engine = engine = Nothing(classifier.backbone.blocks)
    with contextlib.suppress(ClassifierFileError):  # a head for other features
        shares, _ = classifier.score_features(engine.run(np.zeros((2, 8, 8, 3), np.uint8)))
        assert shares.shape == (2, len(classifier.classes))
    repr(classifier)
    model_card(classifier.classes, classifier.backbone, classifier.recipe, classifier.metrics)
    json.dumps(classifier.metrics, ensure_ascii=False).encode()
    json.dumps(list(classifier.classes), ensure_ascii=False).encode()
    packed_metrics(classifier.metrics)


def test_every_entry_of_a_manifest_is_checked(classifier: Classifier, path: Path) -> None:
    manifest = json.loads(members(path)["manifest.json"])
    arrays, refused = arrays_of(path), list[str]()
    for place in places(manifest):
        if place[0] in ("format", "format_version", "has_photos", "eyespot", "task"):
            continue
        for odd in ODD:
            try:
                found = read_manifest(changed(manifest, place, odd), arrays)
            except ValueError as error:
                refused.append(str(error))
                continue
            use(found)
    assert len(refused) > 500
    assert {0 < len(why) < 500 for why in refused} == {True}


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_any_json_as_metrics_is_used_or_refused(classifier: Classifier, metrics: Any) -> None:
    head = {f"scorer.{key}": value for key, value in classifier.scorer.to_arrays().items()}
    manifest = {
        "classes": list(classifier.classes),
        "backbone": {
            "name": classifier.backbone.name,
            "sha256": classifier.backbone.sha256,
            "blocks": list(classifier.backbone.blocks),
        },
        "preprocessing": classifier.backbone.preprocessing.to_dict(),
        "recipe": {"method": "svm", "blocks": [classifier.backbone.last], "hyperparameter": 1},
        "scorer": "linear",
        "temperature": 1,
        "ood_threshold": 2,
        "metrics": {},
    }
    for key in ("metrics", "classes", "backbone", "preprocessing", "recipe"):
        try:
            found = read_manifest({**manifest, key: metrics}, head)
        except ValueError:
            continue
        use(found)


STRANGE: dict[str, dict[str, Any]] = {
    "classes twice": {"classes": ["a", "a"]},
    "classes empty": {"classes": ["", "b"]},
    "classes none": {"classes": []},
    "classes surrogates": {"classes": ["\udcff", "b"]},
    "classes escapes": {"classes": ["\x1b[2J", "\x9b31m", "c"]},
    "eyespot missing": {"eyespot": ..., "backbone": {"pooling": 99}},
    "eyespot escapes": {"eyespot": "\x1b]0;owned\x07", "backbone": {"pooling": 99}},
    "pooling escapes": {"backbone": {"pooling": "\x1b]0;owned\x07"}},
    "version escapes": {"format_version": "\x1b]0;owned\x07"},
    "version true": {"format_version": True},
    "version long": {"format_version": 10**4000},
    "name escapes": {"backbone": {"name": "\x1b]0;owned\x07"}},
    "name long": {"backbone": {"name": "x" * 1_000_000}},
    "digest escapes": {"backbone": {"sha256": "\x1b]0;owned\x07"}},
    "blocks odd": {"backbone": {"blocks": ["\x1b[2J"]}},
    "method escapes": {"recipe": {"method": ["\x1b[2J"]}},
    "scorer escapes": {"scorer": "\x1b]0;owned\x07"},
    "metrics odd": {"metrics": {"top1": "\x1b]0;owned\x07"}},
    "metrics deep": {"metrics": {"deep": DEEP}},
    "size true": {"preprocessing": {"size": True}},
    "mean text": {"preprocessing": {"mean": "123"}},
}
VERBS = (
    ("predict", "PHOTO", "-m", "MODEL"),
    ("predict", "PHOTO", "-m", "MODEL", "--json"),
    ("evaluate", "FOLDER", "-m", "MODEL"),
    ("teach", "FOLDER", "--onto", "MODEL", "-o", "NEW"),
    ("explain", "PHOTO", "-m", "MODEL"),
    ("export", "MODEL", "-o", "OUT"),
    ("serve", "MODEL", "--port", "0"),
)


@pytest.mark.parametrize("case", STRANGE)
def test_every_verb_tells_in_a_sentence_what_is_wrong(
    case: str, path: Path, tmp_path: Path
) -> None:
    manifest = json.loads(members(path)["manifest.json"])
    for key, value in STRANGE[case].items():
        if value is ...:
            del manifest[key]
        else:
            manifest[key] = manifest[key] | value if isinstance(value, dict) else value
    with_manifest(path, manifest)
    folder = tmp_path / "photos" / "a"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "1.png")
    words = {"PHOTO": folder / "1.png", "MODEL": path, "FOLDER": folder.parent}
    words |= {"OUT": tmp_path / "out.onnx", "NEW": tmp_path / "new.eyespot"}
    for verb in VERBS:
        done = CliRunner().invoke(app, [str(words.get(word, word)) for word in verb])
        assert isinstance(done.exception, SystemExit), (verb, done.exception)
        assert done.exit_code == 1, (verb, done.output)
        assert done.stdout == "", verb
        assert done.stderr.startswith(f"eyespot: {path}"), (verb, done.stderr)
        assert done.stderr.count("\n") == 1, verb
        assert len(done.stderr) < 1000, verb
        assert all(c.isprintable() for c in done.stderr.rstrip("\n")), (verb, done.stderr)


def test_names_of_a_stranger_drive_no_terminal(path: Path) -> None:
    manifest = json.loads(members(path)["manifest.json"])
    with_manifest(path, manifest | {"classes": ["\x1b]0;owned\x07", "\x9b31m"]})
    assert load(path).classes == ("\\x1b]0;owned\\x07", "\\x9b31m")
    with_manifest(path, manifest | {"classes": ["a\x07", "a\\x07"]})
    with pytest.raises(ClassifierFileError, match="twice"):
        load(path)


# --- arrays --------------------------------------------------------------------------------------


def odd_arrays(arrays: dict[str, NDArray[Any]]) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    for name, array in arrays.items():
        yield name, {key: value for key, value in arrays.items() if key != name}
        odd = [
            array[:0],
            array.reshape(-1),
            array[None],
            array[..., None],
            np.concatenate([array, array]) if array.ndim else array,
            np.zeros((), array.dtype),
            array.astype(np.float64),
            array.astype(bool),
            array.astype(np.uint8),
        ]
        for number in (np.nan, np.inf, 1e300, -1, 2**62):
            with np.errstate(all="ignore"):
                odd.append(np.full_like(array, np.array(number).astype(array.dtype)))
                odd.append(np.full(array.shape, number))
        for value in odd:
            yield name, arrays | {name: value}


def test_every_array_of_a_head_is_checked(path: Path) -> None:
    manifest, arrays, _ = classifier_file.read(path)
    refused = 0
    for _, odd in odd_arrays(arrays):
        try:
            found = read_manifest(manifest, odd)
        except ValueError:
            refused += 1
            continue
        use(found)
    assert refused > 40


TEXTS: tuple[Any, ...] = (
    *(None, 7, "x", [], {}, DEEP, {"names": 1, "sha256": 2}, {"a": float("nan")}),
    {"names": [1] * 20, "sha256": ["0" * 64] * 20},
    {"names": ["a"] * 20, "sha256": ["../../x"] * 20},
    {"names": ["a"] * 20, "sha256": [[]] * 20},
    {"names": ["a"] * 20, "sha256": ["0" * 64] * 19},
)
LAYOUTS: tuple[Any, ...] = (
    *(None, 7, [], {}, {"top.mean": 4}, {"top.mean": -4}, {"top.mean": "4"}, {"a": 10**400}),
)


def test_every_array_of_taught_photos_is_checked(classifier: Classifier) -> None:
    taught, refused = classifier.training_photos, list[str]()
    assert taught is not None
    arrays, backbone = photo_arrays(taught), classifier.backbone
    as_bytes = {
        name: [np.frombuffer(json.dumps(odd).encode(), np.uint8) for odd in values]
        for name, values in (("texts", TEXTS), ("layout", LAYOUTS))
    }
    deep = np.frombuffer(b"[" * 200_000, np.uint8)
    told = [(name, arrays | {name: odd}) for name in as_bytes for odd in (*as_bytes[name], deep)]
    for _, odd in (*odd_arrays(arrays), *told):
        try:
            found = read_training_photos(odd, 2, backbone)
        except ValueError as error:
            refused.append(str(error))
            continue
        features = found.features
        assert len(features) == len(found.labels) == len(features.thumbnails)
        assert features.inputs(backbone.blocks).shape[0] == len(found.labels)
        assert np.isfinite(features.values).all()
    assert len(refused) > 100
    assert {0 < len(why) < 500 for why in refused} == {True}


def test_layouts_of_another_backbone_are_refused(classifier: Classifier) -> None:
    assert classifier.training_photos is not None
    other = Backbone(
        classifier.backbone.name,
        classifier.backbone.sha256,
        classifier.backbone.preprocessing,
        classifier.backbone.blocks[1:],
    )
    with pytest.raises(ValueError, match="not those of the backbone"):
        read_training_photos(photo_arrays(classifier.training_photos), 2, other)


def test_what_is_no_thumbnail_is_left_out(classifier: Classifier) -> None:
    taught = classifier.training_photos
    assert taught is not None
    large = thumbnail(np.zeros((96, 96, 3), np.uint8), 1.0)
    for bad in (b"<script>", b"", b"\xff\xd8\xff", large.replace(b"\x00\x60\x00\x60", b"\xff" * 4)):
        odd = copy.deepcopy(taught)
        object.__setattr__(odd.features, "thumbnails", (bad, *taught.features.thumbnails[1:]))
        found = read_training_photos(photo_arrays(odd), 2, classifier.backbone).features
        assert found.thumbnails[0] == b""
        assert found.thumbnails[1:] == taught.features.thumbnails[1:]


# --- zip bombs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["head.safetensors", "photos.safetensors", "network.safetensors"])
def test_arrays_that_are_compressed_are_refused(path: Path, name: str) -> None:
    """A thousand times as many bytes as the file has would have to be unpacked first."""
    content = members(path)
    manifest = json.loads(content["manifest.json"])
    manifest["backbone"]["own"] = True
    content |= {"manifest.json": json.dumps(manifest).encode(), name: bytes(3_000_000)}
    content.setdefault("network.safetensors", b"")
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in content.items():
            how = zipfile.ZIP_DEFLATED if member == name else zipfile.ZIP_STORED
            archive.writestr(member, data, how)
    read = classifier_file.read_photos if name == "photos.safetensors" else load
    with pytest.raises(ClassifierFileError, match=f"{name} is compressed"):
        read(path)
    assert not (cache_folder() / "own").exists()


def test_a_network_of_another_digest_is_never_written(path: Path) -> None:
    content = members(path)
    manifest = json.loads(content["manifest.json"])
    manifest["backbone"] |= {"own": True, "sha256": "0" * 64}
    content |= {"manifest.json": json.dumps(manifest).encode(), "network.safetensors": bytes(99)}
    path.write_bytes(zipped([*content.items()]))
    with pytest.raises(ClassifierFileError, match="not the one it was trained with"):
        load(path)
    assert not (cache_folder() / "own").exists()


def test_a_member_that_claims_more_than_the_file_has_is_refused(path: Path) -> None:
    content = path.read_bytes()
    size = len(members(path)["head.safetensors"]).to_bytes(4, "little")
    path.write_bytes(content.replace(size, (10**9).to_bytes(4, "little")))
    with pytest.raises(ClassifierFileError, match="claims more bytes than the file has"):
        load(path)


def test_a_manifest_of_lists_alone_is_not_parsed(path: Path) -> None:
    content = members(path) | {"manifest.json": b"[" + b"[]," * 1_000_000 + b"0]"}
    path.write_bytes(zipped([*content.items()], zipfile.ZIP_STORED))
    with pytest.raises(ClassifierFileError, match="more than 1,000,000 lists"):
        load(path)


def test_a_pipe_is_no_classifier(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.eyespot")
    with pytest.raises(EyespotError, match="cannot be read: it is a pipe"):
        load(tmp_path / "m.eyespot")
