"""Several processes train as one does. They are started as people start them, by torchrun."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from eyespot.training.checkpoint import read_checkpoint
from eyespot.training.plan import Plan
from eyespot.training.run import train
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=33, learning_rate=0.05, seed=3, precision="fp32")
LEARN, VAL = 121, 41  # odd, so that shares differ

SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from eyespot.training import processes
from eyespot.training.run import train
from eyespot.training.evaluate import evaluate_network
from eyespot.training.plan import Plan
from tests.training.test_processes import LEARN, VAL
from tests.training.test_trainer import stripes

folder, plans, kill = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])

def progress(stage, done, total):
    first_time = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if done == kill and first_time and processes.rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)

with processes.process_group():
    learn, val = stripes(LEARN), stripes(VAL, seed=1)
    for name, plan in plans.items():
        plan = Plan(**plan)
        trained = train(plan, learn, val, folder / name, every=2, progress=progress)
        figures = evaluate_network(trained.network, val, trained.preprocessing, plan)
        (folder / f"{name}-{processes.rank()}.json").write_text(json.dumps(figures))
os._exit(0)  # as the command leaves
"""


def torchrun(*arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*launch, *options, *arguments],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def run(plans: dict[str, Plan], folder: Path, *options: str, kill: int = -1) -> None:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    settings = json.dumps({name: plan.to_dict() for name, plan in plans.items()})
    done = torchrun(str(script), str(folder), settings, str(kill), options=options)
    assert done.returncode == 0, done.stderr


PLANS = {
    "plain": PLAN,
    "mixed": PLAN.with_options(
        {"mixup": 0.4, "augmentation": "small-erasing", "accumulate": 3, "clip": 0.1}
    ),
    "pieces": PLAN.with_options({"augmentation": "shift", "l1": 1e-4, "average": 0.9}),
    "norms": PLAN.with_options({"model": "resnet20", "learning_rate": 0.01, "epochs": 1}),
}


@pytest.mark.slow
def test_two_processes_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses, weights and statistics of batch norms, whatever is drawn, clipped or accumulated."""
    run(PLANS, tmp_path)
    for name, plan in PLANS.items():
        alone = train(plan, stripes(LEARN), stripes(VAL, seed=1), tmp_path / "alone" / name)
        lines = (tmp_path / name / "log.jsonl").read_text().splitlines()
        for line, epoch in zip(map(json.loads, lines), alone.epochs, strict=True):
            assert line["loss"] == pytest.approx(epoch.loss, rel=2e-3), name
            assert line["val_loss"] == pytest.approx(epoch.val_loss, rel=2e-3), name
            assert line["accuracy"] == pytest.approx(epoch.accuracy), name
            assert line["val_accuracy"] == epoch.val_accuracy, name  # a share of 41: each once
        last = [read_checkpoint(tmp_path / f / name / "last.safetensors") for f in ("", "alone")]
        assert last[0].tensors.keys() == last[1].tensors.keys()
        for key, value in last[1].part("model").items():
            torch.testing.assert_close(last[0].part("model")[key], value, rtol=1e-2, atol=2e-3)
        # Both have the whole figures, and the same network.
        said = [(tmp_path / f"{name}-{rank}.json").read_text() for rank in range(2)]
        assert said[0] == said[1]


@pytest.mark.slow
def test_a_killed_process_costs_no_more_than_what_was_not_kept(tmp_path: Path) -> None:
    run({"killed": PLAN}, tmp_path, "--max-restarts=1", kill=7)  # state was kept at step 6
    train(PLAN, stripes(LEARN), stripes(VAL, seed=1), tmp_path / "whole")
    killed, whole = (
        read_checkpoint(tmp_path / name / "last.safetensors") for name in ("killed", "whole")
    )
    assert killed.facts["step"] == whole.facts["step"] == 8
    for name, value in whole.tensors.items():
        torch.testing.assert_close(killed.tensors[name], value, rtol=1e-2, atol=1e-3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    dataset = stripes(40)
    for number, (pixels, label) in enumerate(
        zip(dataset.images[..., 0], dataset.labels.tolist(), strict=True)
    ):
        path = tmp_path / "photos" / dataset.classes[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "photos"


def command(photos: Path, *options: str) -> subprocess.CompletedProcess[str]:
    fixed = ("--model", "lenet5", "--epochs", "1", "-o", str(photos.parent / "out"))
    return torchrun("-m", "eyespot", "train", str(photos), *fixed, *options)


def test_the_command_speaks_once(photos: Path) -> None:
    done = command(photos, "--batch-size", "10", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)  # one object
    assert said["train_photos"] + said["validated"] == 40
    assert Path(said["network"]).exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--lr", "1e30", "--batch-size", "10"), "eyespot: The loss is"),
        (("--batch-size", "3"), "eyespot: Expected two images or more"),
    ],
)
def test_an_error_of_all_is_told_once(options: tuple[str, ...], message: str, photos: Path) -> None:
    done = command(photos, *options)
    assert done.returncode == 1
    assert done.stderr.count(message) == 1
    assert done.stderr.count("Traceback (most recent") == 1  # torchrun's own
