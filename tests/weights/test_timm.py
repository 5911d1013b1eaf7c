"""Any network of timm as a backbone, with random weights in the store."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import eyespot
from eyespot.errors import MissingExtraError, UsageError, WeightsError
from eyespot.features.backbone import load_backbone
from eyespot.features.engines import OpenVinoEngine, TorchEngine
from eyespot.features.networks import network_rows
from eyespot.models.timm_net import build as build_timm
from eyespot.tasks.classification.teach import teach
from eyespot.weights import timm_zoo, zoo
from eyespot.weights.find import find_weights
from eyespot.weights.importers import import_weights
from eyespot.weights.store import store_folder
from tests.models import oracle  # noqa: F401 - timm imports torchvision
from tests.pictures import patches

timm = pytest.importorskip("timm")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(folder))
    return folder


def put_into_store(name: str) -> Any:
    """timm's network with random weights, which are put there as timm names them."""
    torch.manual_seed(0)
    theirs = timm.create_model(name).eval()
    save_file(theirs.state_dict(), store_folder() / f"timm_{name}.safetensors")
    return theirs


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "mobilenetv3_small_050"])
def test_it_computes_what_timm_computes(name: str) -> None:
    theirs = put_into_store(name)
    ours = zoo.create(f"timm:{name}", weights="imagenet").eval()
    about = zoo.find(f"timm:{name}")
    side = about.preprocessing.size
    pictures = torch.randn(2, 3, side, side)
    with torch.inference_mode():
        maps = ours.forward_features(pictures)
        *_, last = maps.values()
        assert torch.equal(ours(pictures), ours.forward_head(last))
        torch.testing.assert_close(ours(pictures), theirs(pictures))
    assert {block.rpartition(".")[0] for block in about.feature_blocks} == set(maps)
    assert last.shape == (2, ours.num_features, 1, 1)
    ours.reset_head(3)
    assert ours(pictures).shape == (2, 3)


def test_a_head_for_other_classes_and_other_channels_stay_fresh() -> None:
    theirs = put_into_store("test_resnet")
    ours = zoo.create("timm:test_resnet", weights="imagenet", num_classes=3, in_channels=1)
    assert ours(torch.zeros(2, 1, 96, 96)).shape == (2, 3)
    assert torch.equal(
        ours.get_parameter("model.layer1.0.conv1.weight"), theirs.layer1[0].conv1.weight
    )


def test_what_photos_should_be_like_is_timms() -> None:
    config = timm.get_pretrained_cfg("resnet10t")
    found = zoo.find("timm:resnet10t").preprocessing
    assert found.size == config.input_size[-1]
    assert found.crop_fraction == config.crop_pct
    assert found.mean == pytest.approx([255 * value for value in config.mean])


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_engines_agree(name: str) -> None:
    put_into_store(name)
    backbone = load_backbone(f"timm:{name}")
    side = backbone.preprocessing.size
    pictures = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    expected = TorchEngine(backbone, "fp32").run(pictures)
    found = OpenVinoEngine(backbone, "fp32").run(pictures)
    np.testing.assert_allclose(found, expected, atol=1e-3, rtol=1e-3)


def test_teach_save_load_predict(tmp_path: Path) -> None:
    put_into_store("test_resnet")
    for surface in ("brick", "grass"):
        (tmp_path / "photos" / surface).mkdir(parents=True)
        for number, patch in enumerate(patches(surface, 8)):
            Image.fromarray(patch).save(tmp_path / "photos" / surface / f"{number}.png")
    lesson = teach(tmp_path / "photos", method="prototypes", backbone="timm:test_resnet")
    lesson.classifier.save(tmp_path / "x.eyespot")
    photo = tmp_path / "photos" / "grass" / "3.png"
    loaded = eyespot.load(tmp_path / "x.eyespot")
    assert loaded.predict(photo).top == lesson.classifier.predict(photo).top
    assert loaded.backbone.name == "timm:test_resnet"


def test_what_was_imported_is_found_without_torch(tmp_path: Path) -> None:
    put_into_store("test_resnet")
    theirs = (store_folder() / "timm_test_resnet.safetensors").rename(tmp_path / "x.safetensors")
    import_weights("timm:test_resnet", theirs)
    code = (
        "import sys; from eyespot.features.backbone import load_backbone; "
        "print(load_backbone('timm:test_resnet').blocks[-1], 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["head.mean", "False"]


def test_timm_downloads_what_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    theirs, real = timm.create_model("test_resnet").eval(), timm.create_model
    asked = []

    def create(name: str, pretrained: bool = False, **options: Any) -> Any:
        asked.append(pretrained)
        return theirs if pretrained else real(name, **options)

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(WeightsError, match="eyespot weights timm:test_resnet"):
        find_weights(zoo.find("timm:test_resnet"), fetch=False)
    assert True not in asked
    for _ in range(2):
        ours = zoo.create("timm:test_resnet", weights="imagenet").eval()
    assert asked.count(True) == 1
    pictures = torch.randn(1, 3, 96, 96)
    torch.testing.assert_close(ours(pictures), theirs(pictures))


def test_without_a_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = timm.create_model

    def create(name: str, pretrained: bool = False, **options: Any) -> Any:
        if pretrained:
            raise ConnectionError("no route to the host")
        return real(name, **options)

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(WeightsError, match=r"no route.*eyespot weights timm:test_resnet FILE"):
        load_backbone("timm:test_resnet")


def test_naming_a_network_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's classifier may name the largest."""
    devices = []

    def build(name: str) -> Any:
        model = build_timm(name)
        devices.append({parameter.device.type for parameter in model.parameters()})
        return model

    timm_zoo._from_timm.cache_clear()
    monkeypatch.setattr("eyespot.models.timm_net.build", build)
    assert zoo.find("timm:resnet10t").preprocessing.size == 176
    assert devices == [{"meta"}]


def test_missing_weights_are_told_before_the_network_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zoo.Network, "build", lambda *arguments: pytest.fail("was built"))
    with pytest.raises(WeightsError, match="needs pretrained weights"):
        zoo.create("nin_imagenet", weights="imagenet")


def test_depth_that_nobody_counted_is_unknown() -> None:
    [facts] = network_rows(["timm:test_resnet"])
    assert facts["depth"] is None


@pytest.mark.parametrize("name", ["resnet50dd", "../resnet50", "hf-hub:a/b", ""])
def test_names_that_are_not_timms(name: str) -> None:
    with pytest.raises(UsageError, match="timm has no network"):
        zoo.find(f"timm:{name}")


def test_networks_with_two_heads_are_refused() -> None:
    with pytest.raises(UsageError, match="no single last layer"):
        zoo.find("timm:deit_tiny_distilled_patch16_224")


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    timm_zoo._from_timm.cache_clear()
    with pytest.raises(MissingExtraError, match=r"eyespot\[timm\]"):
        zoo.find("timm:test_resnet")
