"""Figures that can be counted by hand, and runs that are stopped."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyespot.errors import DatasetError, UsageError
from eyespot.evaluation import wilson_interval
from eyespot.imagenet_eval import evaluate as imagenet
from eyespot.imagenet_eval.evaluate import evaluate_imagenet
from eyespot.imagenet_eval.images import find_images
from eyespot.imagenet_eval.views import Views
from tests.commands import run_eyespot
from tests.imagenet_eval.worlds import WNIDS, Brightness, grey, write, write_shard
from tests.pictures import patches

WRONG_AT_ONE, WRONG_AT_FIVE = 12, 5


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Brightness:
    fake = Brightness()
    monkeypatch.setattr(imagenet, "open_engine", lambda backbone: fake)
    return fake


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """40 images, and two that cannot be used."""
    folder = tmp_path / "images"
    rows = ["file,class_index", "broken.png,1", "text.jpg,2"]
    for n in range(40):
        truth = n + 100 if n < WRONG_AT_FIVE else n + 2 if n < WRONG_AT_ONE else n
        write(folder / f"{n}.png", n)
        rows.append(f"{n}.png,{truth}")
    (folder / "broken.png").write_bytes(grey(1)[:60])
    (folder / "text.jpg").write_text("this is text")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def figures(evaluation: imagenet.ImagenetEvaluation) -> dict[str, Any]:
    passing = ("asked", "seconds", "images_per_second", "journal")
    return {k: v for k, v in evaluation.to_dict().items() if k not in passing}


@pytest.mark.parametrize(("crops", "scales"), [(1, ()), (10, ()), (10, (224, 300))])
def test_errors_are_those_counted_by_hand(
    engine: Brightness, images: Path, crops: int, scales: tuple[int, ...]
) -> None:
    evaluation = evaluate_imagenet(images, crops=crops, scales=scales)
    assert evaluation.count == 40
    assert evaluation.top1_error == WRONG_AT_ONE / 40
    assert evaluation.top5_error == WRONG_AT_FIVE / 40
    assert evaluation.top1_interval == wilson_interval(WRONG_AT_ONE, 40)
    assert evaluation.top5_interval == wilson_interval(WRONG_AT_FIVE, 40)
    assert {s.path for s in evaluation.skipped} == {"broken.png", "text.jpg"}
    assert {f.image.name for f in evaluation.failures} == {f"{n}.png" for n in range(12)}
    sure = [failure.guesses[0][1] for failure in evaluation.failures]
    assert sure == sorted(sure, reverse=True)
    assert engine.asked == 40 * crops * max(len(scales), 1)


def test_answers_are_mean_probabilities_over_the_views(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logits = np.random.default_rng(0).normal(size=(10, 1000)).astype(np.float32) * 3

    class Says(Brightness):
        def run(self, images: Any) -> Any:
            return logits

    monkeypatch.setattr(imagenet, "open_engine", lambda backbone: Says())
    write(tmp_path / WNIDS[0] / "1.png", 5)
    (failure,) = evaluate_imagenet(tmp_path, crops=10).failures
    exponents = np.exp(logits)
    means = (exponents / exponents.sum(axis=1, keepdims=True)).mean(axis=0)
    best = np.argsort(-means)[:5]
    assert [index for index, _ in failure.guesses] == best.tolist()
    assert [p for _, p in failure.guesses] == pytest.approx(means[best].tolist(), abs=1e-6)


def test_a_finished_run_is_read_from_its_journal(engine: Brightness, images: Path) -> None:
    first = evaluate_imagenet(images)
    again = evaluate_imagenet(images)
    assert (engine.asked, again.asked, again.images_per_second) == (40, 0, None)
    assert figures(again) == figures(first)
    evaluate_imagenet(images, crops=10)  # other views, other answers
    assert engine.asked == 440
    write(images / "0.png", 77)  # another image under an old name
    assert evaluate_imagenet(images).count == 40
    assert engine.asked == 480


def test_corrected_labels_are_counted_without_asking_again(
    engine: Brightness, images: Path
) -> None:
    evaluate_imagenet(images)
    table = (images / "labels.csv").read_text()
    (images / "labels.csv").write_text(table.replace("0.png,100\n", "0.png,0\n"))
    assert evaluate_imagenet(images).top1_error == (WRONG_AT_ONE - 1) / 40
    assert engine.asked == 40


@pytest.mark.parametrize(
    "damage", ["half a line", "a line too few", "nonsense", "other classes", "too few", "zeros"]
)
def test_a_damaged_journal_costs_only_what_is_damaged(
    engine: Brightness, images: Path, damage: str
) -> None:
    whole = evaluate_imagenet(images)
    assert whole.journal
    lines = whole.journal.read_text().splitlines(keepends=True)
    number, answers = json.loads(lines[-1])
    broken = {
        "half a line": lines[-1][:50],
        "a line too few": "",
        "nonsense": '{"a": 1}\n[0]\n[[], 3]\n[1, [2]]\n',
        "other classes": json.dumps([number, [[[5000, 0.5]] * 5 for _ in answers]]) + "\n",
        "too few": json.dumps([number, answers[:-1]]) + "\n",
        "zeros": "\0" * 100,
    }[damage]
    whole.journal.write_text("".join(lines[:-1]) + broken)
    engine.asked = 0
    assert figures(evaluate_imagenet(images)) == figures(whole)
    assert engine.asked == 10  # the last batch
    assert evaluate_imagenet(images).asked == 0


def test_what_could_not_be_read_is_tried_again(
    engine: Brightness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / WNIDS[0] / "1.png", 0)
    write(tmp_path / WNIDS[1] / "1.png", 1)

    def elsewhere(source: Path) -> Any:
        found, skipped = find_images(source)
        (tmp_path / WNIDS[1] / "1.png").rename(tmp_path / "away")
        return found, skipped

    with monkeypatch.context() as patch:
        patch.setattr(imagenet, "find_images", elsewhere)
        evaluation = evaluate_imagenet(tmp_path)
        assert (evaluation.count, len(evaluation.skipped)) == (1, 1)
    (tmp_path / "away").rename(tmp_path / WNIDS[1] / "1.png")
    assert evaluate_imagenet(tmp_path).count == 2


def test_a_journal_that_cannot_be_written_does_not_stop_the_work(
    engine: Brightness, images: Path, own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own_cache / "imagenet").write_text("a file where the folder should be")
    evaluation = evaluate_imagenet(images)
    assert (evaluation.count, evaluation.journal) == (40, None)
    assert "cannot be resumed" in caplog.text


def test_no_readable_image_is_an_error(engine: Brightness, tmp_path: Path) -> None:
    (tmp_path / WNIDS[0]).mkdir()
    (tmp_path / WNIDS[0] / "1.jpg").write_text("text")
    with pytest.raises(DatasetError, match=r"1\.jpg"):
        evaluate_imagenet(tmp_path)


@pytest.mark.parametrize("name", ["lenet5", "no_such_network"])
def test_only_networks_of_imagenet_are_evaluated(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        evaluate_imagenet(tmp_path, name)


def start(photos: Path, *more: str) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "eyespot", "evaluate", "--imagenet", str(photos), *more]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def metrics(photos: Path, *more: str) -> dict[str, Any]:
    done = run_eyespot("evaluate", "--imagenet", photos, *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path, own_cache: Path, converted_networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members: list[tuple[str, bytes]] = []
    for n, patch in enumerate(patches("gravel", 24)):
        Image.fromarray(patch).save(tmp_path / "patch.png")
        data = (tmp_path / "patch.png").read_bytes()
        members += [(f"{n:03}.png", data if n % 9 else data[:90]), (f"{n:03}.cls", b"%d" % n)]
    shard = write_shard(tmp_path / "s.tar", members)
    options = ("--crops", "10", "--json")
    process = start(shard, *options)
    while process.poll() is None:
        journals = list(own_cache.glob("imagenet/*.jsonl"))
        if journals and journals[0].read_text().count("]\n") >= 4:
            break
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    resumed = metrics(shard, *options)
    assert 0 < resumed["asked"] < 24
    other = tmp_path / "other"
    other.mkdir()
    (other / "networks").symlink_to(converted_networks, target_is_directory=True)
    monkeypatch.setenv("EYESPOT_CACHE", str(other))
    whole = metrics(shard, *options)
    assert (whole["asked"], whole["count"], len(whole["skipped"])) == (24, 21, 3)
    passing = ("asked", "seconds", "images_per_second", "journal")
    assert {k: v for k, v in resumed.items() if k not in passing} == {
        k: v for k, v in whole.items() if k not in passing
    }


@pytest.mark.slow
def test_the_fast_pipeline_errs_no_more_than_the_plain_one(shared_data: Path) -> None:
    """Against Pillow's full decoding and resizing, and the network in torch in float32."""
    import torch

    from eyespot.weights import zoo

    folder = shared_data / "imagenet-sample-200"
    preprocessing = zoo.find("efficientnet_lite0").preprocessing
    size, side = preprocessing.size, Views(preprocessing).short_sides[0]
    network = zoo.create("efficientnet_lite0", weights="imagenet").eval()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    wrong = 0
    with (folder / "labels.csv").open() as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        with Image.open(folder / row["file"]) as file:
            image = file.convert("RGB")
        scale = side / min(image.size)
        width, height = (round(length * scale) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = (width - size) // 2, (height - size) // 2
        pixels = np.array(image.crop((left, top, left + size, top + size)))
        tensor = (torch.from_numpy(pixels).permute(2, 0, 1).float() - mean) / std
        with torch.inference_mode():
            wrong += int(network(tensor[None]).argmax()) != int(row["class_index"])
    assert len(rows) == len(find_images(folder)[0]) == 200
    evaluation = evaluate_imagenet(folder)
    print(f"fast: {evaluation.top1_error:.3f}, plain: {wrong / 200:.3f}")  # noqa: T201
    assert evaluation.top1_error - wrong / 200 <= 0.003
