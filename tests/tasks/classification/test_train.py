"""A run goes on only with the photos that it began with, and alone in its folder."""

from pathlib import Path

import pytest
from PIL import Image

from eyespot.errors import DatasetError, TrainingError
from eyespot.tasks.classification.train import CLASSIFIER, Training, train_on
from eyespot.training.checkpoint import BEST, LAST
from eyespot.training.folder import STUDY, exclusive_folder
from eyespot.training.plan import Plan
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=1, batch_size=10, learning_rate=0.05, precision="fp32")


def write(folder: Path, seed: int = 0) -> Path:
    pictures = stripes(24, seed=seed)
    for number, (image, label) in enumerate(zip(pictures.images, pictures.labels, strict=True)):
        path = folder / pictures.classes[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(path)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("photos"))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def stopped(photos: Path, folder: Path, **options: float) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("Training", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_on(photos, PLAN, folder, every=1, progress=stop, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("finished", [True, False])
def test_other_photos_or_parts_are_refused(finished: bool, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if finished:
        train_on(photos, PLAN, out)
    else:
        stopped(photos, out)
    before = files(out)
    with pytest.raises(TrainingError, match=r"\(photos or --held-out\).*another folder"):
        train_on(photos, PLAN, out, held_out=0.3)
    with pytest.raises(TrainingError, match=r"\(photos or --held-out\)"):
        train_on(write(tmp_path / "others", seed=0 if finished else 1), PLAN, out, held_out=0.2)
    assert files(out) == before


def test_the_same_photos_may_have_moved(photos: Path, tmp_path: Path) -> None:
    stopped(photos, tmp_path / "out")
    done = train_on(write(tmp_path / "moved"), PLAN, tmp_path / "out")
    assert len(done.trained.epochs) == 1


def test_a_picture_that_cannot_be_read_any_more_is_told(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos")
    stopped(photos, tmp_path / "out", held_out=0.0)
    picture = next(photos.rglob("*.png"))
    picture.write_bytes(bytes(picture.stat().st_size))
    with pytest.raises(TrainingError, match="photos"):
        train_on(photos, PLAN, tmp_path / "out", held_out=0.0)


def test_two_runs_in_one_folder_do_not_meet(photos: Path, tmp_path: Path) -> None:
    seen = []

    def second(stage: str, done: int, total: int) -> None:
        with pytest.raises(TrainingError, match=r"Another process is using .*another folder"):
            train_on(photos, PLAN, tmp_path)
        seen.append(stage)

    train_on(photos, PLAN, tmp_path, progress=second)
    assert {"Reading", "Training", "Evaluating"} <= set(seen)
    with exclusive_folder(tmp_path, LAST):  # it is free again
        pass


def test_a_run_in_the_folder_of_a_search(photos: Path, tmp_path: Path) -> None:
    (tmp_path / STUDY).touch()
    with pytest.raises(TrainingError, match=r"has a search for settings .*another folder"):
        train_on(photos, PLAN, tmp_path)


def test_a_class_without_a_readable_picture_to_learn_from(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos")
    for path in (photos / "lying").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="'lying' has no readable photo"):
        train_on(photos, PLAN, tmp_path / "out")


@pytest.fixture
def finished(photos: Path, tmp_path: Path) -> Training:
    return train_on(photos, PLAN, tmp_path)


@pytest.mark.parametrize("damaged", [BEST, LAST])
@pytest.mark.parametrize("gone", [True, False])
def test_the_advice_on_a_damaged_state_helps(
    damaged: str, gone: bool, finished: Training, photos: Path, tmp_path: Path
) -> None:
    if gone:
        (tmp_path / damaged).unlink()
    else:
        (tmp_path / damaged).write_bytes(b"nothing")
    if damaged == BEST or not gone:
        with pytest.raises(TrainingError) as caught:
            train_on(photos, PLAN, tmp_path)
        assert str(tmp_path / damaged) in str(caught.value)
        assert str(caught.value).endswith(f"To start again, delete {tmp_path / LAST}.")
        (tmp_path / LAST).unlink()
    again = train_on(photos, PLAN, tmp_path)
    assert again.trained.epochs[0].loss == finished.trained.epochs[0].loss
    assert (tmp_path / CLASSIFIER).exists()
