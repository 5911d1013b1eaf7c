"""Training from shards: pictures are decoded when they are needed, and few are in memory."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from eyespot.data.open import open_photos
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import DatasetError
from eyespot.tasks.classification.train import train_on
from eyespot.training import images as training
from eyespot.training.evaluate import evaluate_network
from eyespot.training.images import LazyImages, open_images
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer
from tests.imagenet_eval.worlds import write_shard
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=16, learning_rate=0.05, precision="fp32")


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """120 pictures to learn from in 4 shards, 40 to validate with in 1."""
    for split, count, each in (("train", 120, 30), ("val", 40, 40)):
        pictures = stripes(count, seed=count)
        (tmp_path / "shards" / split).mkdir(parents=True)
        for start in range(0, count, each):
            members = []
            for number in range(start, start + each):
                label = pictures.classes[pictures.labels[number]]
                members.append((f"{number:04}.png", png(pictures.images[number, :, :, 0])))
                members.append((f"{number:04}.cls", label.encode()))
            write_shard(tmp_path / "shards" / split / f"{start // each}.tar", members)
    return tmp_path / "shards"


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MEMORY", 0)


@pytest.mark.usefixtures("no_memory")
def test_on_demand_is_as_from_memory(shards: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, mixup=0.4, augmentation="shift", accumulate=2)
    demanded = train_on(shards, plan, tmp_path / "demanded")
    assert isinstance(demanded.validation and demanded.validation.images, LazyImages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "MEMORY", 2**30)
        kept = train_on(shards, plan, tmp_path / "kept")
    assert (demanded.train_photos, demanded.validated, demanded.skipped) == (120, 40, ())
    for first, second in zip(demanded.trained.epochs, kept.trained.epochs, strict=True):
        assert replace(first, seconds=0.0) == replace(second, seconds=0.0)
    for name, value in kept.trained.network.state_dict().items():
        assert torch.equal(value, demanded.trained.network.state_dict()[name]), name


@pytest.mark.usefixtures("no_memory")
def test_memory_holds_this_batch_and_the_next(shards: Path) -> None:
    photos = [photo for photo in open_photos(shards).photos if photo.split == "train"]
    learn, _ = open_images(photos, ("lying", "upright"), 32, 1)
    trainer = Trainer(PLAN, learn)
    assert isinstance(learn.images, LazyImages)
    for _ in range(trainer.steps - 1):
        trainer.train_step()
        ahead = set(learn.images._pending)
        assert ahead <= set(trainer.batches.indices(trainer.step).tolist())
        assert len(ahead) > 8  # but for those that an epoch's last batch had as well


def test_damage_is_named_and_training_goes_on(shards: Path, tmp_path: Path) -> None:
    """An unreadable shard in the middle, a damaged picture to learn from, one to validate with."""
    (shards / "train" / "1.tar").write_bytes(b"this is no tar file" * 100)
    for name in ("train/2", "val/0"):
        shard = shards / f"{name}.tar"
        data = shard.read_bytes()
        start = data.index(b"IDAT", len(data) // 2)  # of the picture after the half of the shard
        shard.write_bytes(data[:start] + bytes(200) + data[start + 200 :])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "MEMORY", 0)
        done = train_on(shards, PLAN, tmp_path / "out")
    assert done.train_photos == 90
    assert len(done.trained.epochs) == 2
    lost, *damaged = sorted(done.skipped, key=lambda skipped: skipped.path.count("/"))
    assert lost.path.endswith("train/1.tar")
    assert len(damaged) == 2
    assert {Path(skipped.path).parent.name for skipped in damaged} == {"2.tar", "0.tar"}
    # What cannot be read does not count, though another stood in for it.
    assert done.validation is not None
    network, plan = done.trained.network, done.trained.plan
    readable, _ = open_images(
        [photo for photo in open_photos(shards).photos if photo.split == "val"],
        ("lying", "upright"),
        32,
        1,
        in_memory=True,
    )
    assert len(readable) == 39
    whole = evaluate_network(network, done.validation, done.trained.preprocessing, plan)
    assert whole == pytest.approx(
        evaluate_network(network, readable, done.trained.preprocessing, plan)
    )


def test_a_disk_that_is_gone_is_no_damaged_picture() -> None:
    photos = [Photo(f"{n}.jpg", MemorySource(b"gone"), "ab"[n % 2]) for n in range(200)]
    with pytest.raises(DatasetError, match=r"100 others cannot be read.*disk"):
        LazyImages(photos, 32, 1).read(np.arange(3))
