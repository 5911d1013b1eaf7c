"""Weights of others compute here what they compute there; what is foreign or hostile is refused."""

import csv
import json
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing, prepare
from eyespot.errors import UsageError, WeightsError
from eyespot.weights import checkpoints, zoo
from eyespot.weights.find import find_weights
from eyespot.weights.importers import import_weights
from eyespot.weights.store import store_folder
from tests.models.oracle import torchvision_models

timm = pytest.importorskip("timm")

MANIFEST = "tiny_face_detector_model-weights_manifest.json"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "store"
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(folder))
    return folder


def trained(network: Any) -> Any:
    """With statistics of batch norm as after training: fresh ones would hide an epsilon."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.get_buffer("running_mean").normal_(std=0.1)
            module.get_buffer("running_var").uniform_(0.5, 1.5)
    return network.eval()


def assert_same(theirs: nn.Module, ours: nn.Module, side: int = 96) -> None:
    pictures = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, found = theirs(pictures), ours.eval()(pictures)
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-4


def resnet(path: Path, **options: Any) -> Path:
    torch.save(torchvision_models.resnet18(weights=None, **options).state_dict(), path)
    return path


# --- the forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_torchvision(tmp_path: Path, suffix: str) -> None:
    theirs = trained(torchvision_models.resnet18(weights=None))
    path = tmp_path / f"theirs{suffix}"
    save: Any = torch.save if suffix == ".pth" else save_file
    save(theirs.state_dict(), path)
    import_weights("resnet18", path)
    assert_same(theirs, zoo.create("resnet18", weights="imagenet"))
    assert_same(theirs, zoo.create("resnet18", weights=path))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("resnet18", "resnet18"),
        ("resnet50", "resnet50"),
        pytest.param("vgg16", "vgg16", marks=pytest.mark.slow),
        pytest.param("vgg16_bn", "vgg16_bn", marks=pytest.mark.slow),
        ("mobilenetv2_100", "mobilenet_v2"),
        pytest.param("mobilenetv2_140", "mobilenet_v2_1.4", marks=pytest.mark.slow),
        ("tf_efficientnet_lite0", "efficientnet_lite0"),
        pytest.param("tf_efficientnet_lite2", "efficientnet_lite2", marks=pytest.mark.slow),
    ],
)
def test_timm(tmp_path: Path, theirs: str, ours: str) -> None:
    network = trained(timm.create_model(theirs))
    path = tmp_path / "theirs.safetensors"
    save_file(network.state_dict(), path)
    assert_same(network, zoo.create(ours, weights=path))


@pytest.mark.parametrize(
    ("name", "file", "least"),
    [
        ("mobilenet_v1", "mobilenet_v1_1.0_224_imagenet", 0.85),
        ("squeezenet1_1", "squeezenet1_1_imagenet", 0.5),
    ],
)
def test_tensorflow_is_right_on_photos(
    shared_data: Path, name: str, file: str, least: float
) -> None:
    import_weights(name, shared_data / "weights" / f"{file}.safetensors")
    known = find_weights(zoo.find(name))
    folder = shared_data / "imagenet-sample-200"
    rows = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))[::5]
    photos = [np.asarray(Image.open(folder / row["file"]).convert("RGB")) for row in rows]
    pixels = np.stack([prepare(photo, known.preprocessing) for photo in photos])
    mean = np.array(known.preprocessing.mean, np.float32)
    std = np.array(known.preprocessing.std, np.float32)
    pictures = torch.from_numpy((pixels - mean) / std).permute(0, 3, 1, 2)
    with torch.inference_mode():
        guesses = zoo.create(name, weights="imagenet").eval()(pictures).argmax(1).tolist()
    right = [guess == int(row["class_index"]) for guess, row in zip(guesses, rows, strict=True)]
    assert np.mean(right) >= least
    assert known.classes is None
    assert len(known.class_names()) == 1000


def test_bytes_of_the_face_detector_are_numbers_again(shared_data: Path) -> None:
    """The first kernel, computed here as the format says."""
    manifest = shared_data / "weights" / MANIFEST
    import_weights("tiny_yolo_face", manifest)
    kernel = zoo.create("tiny_yolo_face", weights="imagenet").get_parameter(
        "stages.conv0.conv.weight"
    )
    first = json.loads(manifest.read_text())[0]["weights"][0]
    steps = np.fromfile(
        manifest.with_name("tiny_face_detector_model.bin"), np.uint8, 3 * 3 * 3 * 16
    )
    values = steps * first["quantization"]["scale"] + first["quantization"]["min"]
    expected = values.reshape(3, 3, 3, 16).transpose(3, 2, 0, 1)
    np.testing.assert_allclose(kernel.detach().numpy(), expected, rtol=1e-6)
    assert find_weights(zoo.find("tiny_yolo_face")).classes == ()


# --- what travels with them ---------------------------------------------------------------------


def test_preprocessing_and_classes_travel_along(tmp_path: Path) -> None:
    expects = Preprocessing(64, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), crop_fraction=0.9)
    theirs = resnet(tmp_path / "cats.pth", num_classes=2)
    kept = import_weights("resnet18", theirs, preprocessing=expects, classes=["cat", "dog"])
    known = find_weights(zoo.find("resnet18"))
    assert (known.preprocessing, known.classes) == (expects, ("cat", "dog"))
    network = zoo.create("resnet18", weights="imagenet")
    assert network.get_parameter("head.linear.bias").shape == (2,)
    # Our own file says all this itself, wherever it goes.
    elsewhere = kept.rename(tmp_path / "copy.safetensors")
    import_weights("resnet18", elsewhere)
    assert replace(find_weights(zoo.find("resnet18")), path=known.path) == known
    with pytest.raises(WeightsError, match="of resnet18, not of resnet34"):
        import_weights("resnet34", _renamed_owner(elsewhere, "resnet18"))


def _renamed_owner(path: Path, owner: str) -> Path:
    """A file of resnet34's tensors that says it is of another network."""
    other = path.with_name("other.safetensors")
    save_file(zoo.create("resnet34").state_dict(), other, {"eyespot": owner})
    return other


def test_names_of_classes_must_be_as_many_as_outputs(tmp_path: Path, store: Path) -> None:
    with pytest.raises(UsageError, match="2 outputs, but there are 1 names"):
        import_weights("resnet18", resnet(tmp_path / "x.pth", num_classes=2), classes=["cat"])
    assert not store.exists()


def test_the_same_file_is_the_same_weights_everywhere(tmp_path: Path) -> None:
    import_weights("resnet18", resnet(tmp_path / "x.pth"))
    first = find_weights(zoo.find("resnet18")).sha256
    (store_folder() / "resnet18.safetensors").unlink()
    import_weights("resnet18", (tmp_path / "x.pth").rename(tmp_path / "y.pth"))
    assert find_weights(zoo.find("resnet18")).sha256 == first


# --- what is refused ----------------------------------------------------------------------------


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hacked",)


def refuse(path: Path, match: str, name: str = "resnet18") -> None:
    with pytest.raises(WeightsError, match=match):
        import_weights(name, path)
    assert not store_folder().exists()


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": Hostile()}, "new.pth")
    torch.save(Hostile(), "old.pth", _use_new_zipfile_serialization=False)
    Path("plain.pth").write_bytes(pickle.dumps(Hostile()))
    for name in ("new.pth", "old.pth", "plain.pth"):
        with pytest.raises(WeightsError, match="can run code") as refusal:
            import_weights("resnet18", tmp_path / name)
        assert "weights_only" not in str(refusal.value)  # torch's advice to let it run
    assert not store_folder().exists()
    assert not Path("hacked").exists()


def test_damaged_and_foreign_files(tmp_path: Path) -> None:
    whole = resnet(tmp_path / "whole.pth").read_bytes()
    save_file({"x": torch.zeros(9)}, tmp_path / "whole.safetensors")
    contents = {
        "cut.pth": whole[: len(whole) // 2],
        "cut.safetensors": (tmp_path / "whole.safetensors").read_bytes()[:-1],
        "empty": b"",
        "photo.jpg": b"\xff\xd8\xff\xe0JFIF",
        "list.json": b"[1, 2]",
        "page.html": b"<html>",
        "pickle": pickle.dumps({"x": 1}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        refuse(tmp_path / name, name)
    refuse(tmp_path / "missing", "missing")
    refuse(tmp_path, "cannot be read")
    refuse(tmp_path / "whole.safetensors", "begins with x")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"fc.bias": None}, "lacks head.linear.bias"),
        ({"layer1.0.bn1.weight": torch.zeros(3)}, r"bn1.weight is \[3\] where \[64\]"),
        ({"conv1.weight": torch.zeros(64, 1, 7, 7)}, r"conv.weight is \[64, 1, 7, 7\] where"),
        ({"fc.weight": torch.zeros(7, 512)}, r"head.linear"),
        ({"layer9.weight": torch.zeros(3)}, "in a known form"),
        ({"fc.bias": torch.full((1000,), float("nan"))}, "NaN or Inf"),
        ({"fc.bias": "text"}, "not a tensor"),
        ({"fc.bias": torch.zeros(1000).to_sparse()}, "not a plain tensor"),
        ({"fc.bias": torch.zeros(1).expand(2**40)}, "more than"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    state = torch.load(resnet(tmp_path / "x.pth"), weights_only=True) | change
    torch.save(
        {key: value for key, value in state.items() if value is not None}, tmp_path / "x.pth"
    )
    refuse(tmp_path / "x.pth", why)


def test_weights_of_another_network_of_the_family(tmp_path: Path) -> None:
    refuse(resnet(tmp_path / "x.pth"), "does not fit resnet34: it lacks", name="resnet34")
    refuse(resnet(tmp_path / "x.pth"), "no weights of vgg11", name="vgg11")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**21))
    resnet(tmp_path / "large.pth")
    monkeypatch.setattr(checkpoints, "LIMIT", 2**20)
    refuse(tmp_path / "bomb.pth", "more than 1 MB")
    refuse(tmp_path / "large.pth", "more than 1 MB")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"shape": [2**40, 2**40]}, "bytes of weights, found"),
        ({"shape": [-1, 3]}, "not a shape"),
        ({"shape": [2.5]}, "not a shape"),
        ({"shape": [3]}, "expected 3 bytes of weights, found 2"),
        ({"dtype": "int32"}, "not float32"),
        ({"quantization": {"dtype": "uint16", "scale": 1, "min": 0}}, "uint16"),
        ({"quantization": {"dtype": "uint8", "scale": 1e999, "min": 0}}, "NaN or Inf"),
    ],
)
def test_absurd_manifests(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    entry = {
        "name": "conv0/bias",
        "shape": [2],
        "dtype": "float32",
        "quantization": {"dtype": "uint8", "scale": 0.1, "min": 0},
    }
    (tmp_path / "x.bin").write_bytes(b"\0\1")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps([{"weights": [entry | change], "paths": ["x.bin"]}]))
    refuse(manifest, why, name="tiny_yolo_face")


@pytest.mark.parametrize("name", ["missing.bin", "../x.bin", "/etc/hostname"])
def test_a_manifest_reads_only_files_beside_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.bin").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    manifest = tmp_path / "folder" / "manifest.json"
    manifest.write_text(json.dumps([{"weights": [], "paths": [name]}]))
    refuse(manifest, "beside it" if name == "missing.bin" else "ValueError", name="tiny_yolo_face")


def test_saved_by_a_training_script(tmp_path: Path) -> None:
    state: dict[str, Tensor] = torch.load(resnet(tmp_path / "x.pth"), weights_only=True)
    torch.save({"epoch": 3, "state_dict": {k: v.half() for k, v in state.items()}}, tmp_path / "y")
    network = zoo.create("resnet18", weights=tmp_path / "y")
    expected = state["fc.weight"].half().float()
    assert torch.equal(network.get_parameter("head.linear.weight"), expected)
