"""Training from scratch and fine-tuning: what accuracy they reach, and how long they take.

    trio      MNIST's three networks: the lectures' figures, and the best settings of a small grid
    lenet     LeNet-5 on MNIST against the usual loop of PyTorch's example, to the same accuracy
    step      one step of ResNet-18 against eager torch in float32
    cifar     ResNet-20 on CIFAR-10
    depth     plain and residual networks of 20 and 56 layers on CIFAR-10
    finetune  fine-tuning in `teach` against linear heads, out of fold

The plans stand at the top; `--set learning_rate=0.05 epochs=8` changes one for a run. What is
finished is written at once, to results/DATE-training-NAME.json. Data are in EYESPOT_TEST_DATA:
mnist/ (IDX), cifar10/ (Parquet); photos as for the other benchmarks.
"""

import argparse
import contextlib
import io
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from measure import REPOSITORY, keep, photos, summary
from torch import Tensor, nn
from torch.utils.data import DataLoader

from eyespot.data.idx import read_array
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.tasks.classification.train import train_on
from eyespot.training.division import divide
from eyespot.training.judged import judged
from eyespot.training.pictures import Pictures, open_pictures
from eyespot.training.plan import Plan
from eyespot.training.records import Epoch
from eyespot.training.trainer import Trainer, best_device, train
from eyespot.weights import zoo

# --- the plans ---------------------------------------------------------------------------------

REPORTED = {"mnist_linear": 0.89, "mnist_hidden": 0.91, "mnist_conv": 0.987}
"""Accuracy on the training set (Touretzky, "Cognitive Robotics", lecture 13)."""
LECTURES = Plan(
    model="mnist_linear",
    epochs=10,
    batch_size=100,
    momentum=0.0,
    weight_decay=0.0,
    schedule="constant",
    precision="fp32",
)
"""Of the settings the slides state the batches of 100 alone. The rest is the plainest there is:
gradient descent at a constant rate. Rate and epoch are those that come closest to the figures."""
LECTURE_RATES = (0.001, 0.01)
BEST = Plan(model="mnist_linear", batch_size=100, precision="fp32")
BEST_GRID = {"learning_rate": (0.003, 0.02, 0.1), "epochs": (5, 15)}
"""Chosen by the last 10,000 training digits, then learnt from all 60,000."""

LENET = Plan(
    model="lenet5",
    epochs=5,
    batch_size=128,
    learning_rate=0.08,
    weight_decay=5e-4,
    schedule="one-cycle",
    augmentation="shift",
)
GOAL = 0.992
EXAMPLE_EPOCHS, EXAMPLE_BATCH, EXAMPLE_TEST_BATCH = 14, 64, 1000

STEP = Plan(model="resnet18", learning_rate=0.01, nesterov=False, schedule="constant")

CIFAR = Plan(
    model="resnet20",
    batch_size=128,
    learning_rate=0.2,
    weight_decay=5e-4,
    schedule="one-cycle",
    augmentation="small",
    label_smoothing=0.0,
)
DEPTH = Plan(
    model="resnet20",
    batch_size=128,
    learning_rate=0.1,
    weight_decay=1e-4,
    nesterov=False,
    schedule="one-cycle",
    augmentation="small",
)
DEPTHS = ("plain20", "plain56", "resnet20", "resnet56")
RECOMPRESSED = "CIFAR-10 from Parquet, whose pictures were re-compressed as JPEG"


# --- what all of them share --------------------------------------------------------------------


def data(name: str) -> Path:
    default = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("EYESPOT_TEST_DATA", default)) / name
    if not folder.is_dir():
        sys.exit(f"No data at {folder}. Set EYESPOT_TEST_DATA to a folder that holds {name}/.")
    return folder


def some_of(name: str, most: int | None) -> Dataset:
    """At most so many pictures of each split."""
    dataset = open_photos(data(name))
    if most is None:
        return dataset
    of_split = [[p for p in dataset.photos if p.split == split] for split in ("train", "test")]
    return Dataset(tuple(photo for photos in of_split for photo in photos[:most]))


def learn_and_test(
    name: str, model: str, most: int | None, side: int | None = None
) -> tuple[Pictures, Pictures]:
    """The training set and the test set, as `model` takes them, or of `side` pixels."""
    dataset, about = some_of(name, most), zoo.find(model)
    learn, _, test = divide(dataset, 0.0, 0)
    side, channels = side or about.preprocessing.size, about.in_channels
    say(f"reading {len(learn):,} + {len(test):,} pictures of {name}")
    read, asked = (
        open_pictures(part, dataset.classes, side, channels)[0] for part in (learn, test)
    )
    return read, asked


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def write(name: str, results: dict[str, Any]) -> None:
    """As `keep`, which prints; for results that are not whole yet."""
    with contextlib.redirect_stdout(io.StringIO()):
        finish(name, results)


def finish(name: str, results: dict[str, Any]) -> None:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    keep(f"training-{name}", {"device": device, "arguments": sys.argv[1:], **results})


def spread(values: Sequence[float]) -> dict[str, Any]:
    """As `summary`, with mean, standard deviation (None of one value), and the values."""
    return {
        **summary(values),
        "mean": round(statistics.mean(values), 5),
        "sd": round(statistics.stdev(values), 5) if len(values) > 1 else None,
        "values": [round(value, 5) for value in values],
    }


def changed(plan: Plan, settings: Sequence[str]) -> Plan:
    """The plan with settings such as "epochs=8" and "schedule=step"."""
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return replace(plan, **values)


# --- MNIST's three networks --------------------------------------------------------------------


def after_epochs(plan: Plan, learn: Pictures) -> Iterator[Trainer]:
    """The trainer, after each epoch."""
    trainer = Trainer(plan, learn)
    while trainer.step < trainer.steps:
        trainer.train_step()
        if trainer.step % trainer.steps_per_epoch == 0:
            yield trainer


def trio(options: argparse.Namespace) -> None:
    learn, test = learn_and_test("mnist", "mnist_linear", options.pictures)
    results: dict[str, Any] = {"data": "MNIST", "lectures": LECTURES.to_dict(), "networks": {}}
    for model, reported in REPORTED.items():
        found: dict[str, Any] = {"reported, training set": reported}
        results["networks"][model] = found
        plan = replace(LECTURES, model=model)
        found["as the lectures"] = as_the_lectures(plan, reported, learn, test, options.seeds)
        write("trio", results)
        found["best"] = best_settings(replace(BEST, model=model), learn, test, options)
        write("trio", results)
    finish("trio", results)


def as_the_lectures(
    plan: Plan, reported: float, learn: Pictures, test: Pictures, seeds: int
) -> dict[str, Any]:
    """Of all rates and epochs, those whose mean accuracy on the training set is nearest to
    `reported`, and the table of all."""
    table = []
    for rate in LECTURE_RATES:
        runs: list[list[tuple[float, float]]] = []
        for seed in range(seeds):
            settings = replace(plan, learning_rate=rate, seed=seed)
            runs.append(
                [
                    (trainer.validate(learn)[1], trainer.validate(test)[1])
                    for trainer in after_epochs(settings, learn)
                ]
            )
            shown = " ".join(f"{on_learn:.4f}" for on_learn, _ in runs[-1])
            say(f"{plan.model} rate {rate} seed {seed}: training set, by epoch: {shown}")
        for epoch, pairs in enumerate(zip(*runs, strict=True), start=1):
            on_learn, on_test = zip(*pairs, strict=True)
            table.append(
                {
                    "learning_rate": rate,
                    "epochs": epoch,
                    "training set": spread(on_learn),
                    "test set": spread(on_test),
                }
            )
    nearest = min(table, key=lambda row: abs(row["training set"]["mean"] - reported))
    return {"nearest": nearest, "all": table}


def best_settings(
    plan: Plan, learn: Pictures, test: Pictures, options: argparse.Namespace
) -> dict[str, Any]:
    """The best of a grid, by held-out training pictures; then learnt from all."""
    held = len(learn) // 6
    inner, outer = learn.take(np.arange(len(learn) - held)), learn.take(np.arange(-held, 0))
    grid = []
    for values in itertools.product(*BEST_GRID.values()):
        settings = dict(zip(BEST_GRID, values, strict=True))
        *_, trainer = after_epochs(replace(plan, **settings), inner)
        grid.append({**settings, "held out": trainer.validate(outer)[1]})
        say(f"{plan.model} {grid[-1]}")
    best = max(grid, key=lambda row: row["held out"])
    plan = plan.with_options({name: best[name] for name in BEST_GRID})
    on_learn, on_test, seconds = [], [], []
    for seed in range(options.seeds):
        start = time.perf_counter()
        *_, trainer = after_epochs(replace(plan, seed=seed), learn)
        seconds.append(time.perf_counter() - start)
        on_learn.append(trainer.validate(learn)[1])
        on_test.append(trainer.validate(test)[1])
        say(f"{plan.model} best, seed {seed}: {on_learn[-1]:.4f}, test {on_test[-1]:.4f}")
    return {
        "plan": trainer.plan.to_dict(),
        "training set": spread(on_learn),
        "test set": spread(on_test),
        "seconds": spread(seconds),
        "grid": grid,
    }


# --- LeNet-5 against the usual loop ------------------------------------------------------------


class Digits(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """MNIST's IDX files as torchvision gives them: a PIL image at a time, through transforms."""

    def __init__(self, split: str, transform: Callable[[Any], Tensor], most: int | None) -> None:
        folder = data("mnist")
        (images,) = folder.glob(f"{split}-images-idx3-ubyte*")
        (labels,) = folder.glob(f"{split}-labels-idx1-ubyte*")
        self.images = torch.from_numpy(read_array(images).copy())[:most]
        self.labels = torch.from_numpy(read_array(labels).copy())[:most].long()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        picture = Image.fromarray(self.images[index].numpy())
        return self.transform(picture), int(self.labels[index])


def usual_lenet() -> nn.Module:
    """The layers of `lenet5`; the 28 pixels are padded to 32 in the first convolution."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10), nn.LogSoftmax(1)),
    )


def usual_loop(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """The structure of PyTorch's MNIST example: Adadelta at 1.0, times 0.7 with every epoch; a
    loader with workers; a test after every epoch. It stops as soon as the test reaches GOAL."""
    from torchvision import transforms

    torch.manual_seed(seed)
    start = time.perf_counter()
    device = best_device()
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )
    loading: dict[str, Any] = {"num_workers": options.workers}
    if options.workers:
        loading["persistent_workers"] = True
    learn, test = (Digits(split, transform, options.pictures) for split in ("train", "t10k"))
    batches = DataLoader(learn, EXAMPLE_BATCH, shuffle=True, **loading)
    test_batches = DataLoader(test, EXAMPLE_TEST_BATCH, **loading)
    network = usual_lenet().to(device)
    optimiser = torch.optim.Adadelta(network.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1, gamma=0.7)
    found: list[float] = []
    while len(found) < (options.epochs or EXAMPLE_EPOCHS) and max(found, default=0.0) < GOAL:
        network.train()
        for pictures, labels in batches:
            optimiser.zero_grad()
            F.nll_loss(network(pictures.to(device)), labels.to(device)).backward()
            optimiser.step()
        network.eval()
        right = 0
        with torch.no_grad():
            for pictures, labels in test_batches:
                right += int((network(pictures.to(device)).argmax(1).cpu() == labels).sum())
        schedule.step()
        found.append(right / len(test))
        say(f"usual loop, seed {seed}, epoch {len(found)}: {found[-1]:.4f}")
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "test": found[-1], "by epoch": found, "reached": found[-1] >= GOAL}


def ours_on_mnist(seed: int, plan: Plan, options: argparse.Namespace) -> dict[str, Any]:
    """`train_on` from the files to the network in a folder, and its test."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        source = data("mnist") if options.pictures is None else some_of("mnist", options.pictures)
        done = train_on(source, replace(plan, seed=seed), Path(folder), held_out=0.0)
        seconds = time.perf_counter() - start
    assert done.test is not None
    say(f"eyespot, seed {seed}: {done.test[1]:.4f} in {seconds:.1f} s")
    learning = sum(epoch.seconds for epoch in done.trained.epochs)
    return {
        "seconds": seconds,
        "of these in epochs": learning,
        "test": done.test[1],
        "reached": done.test[1] >= GOAL,
    }


def lenet(options: argparse.Namespace) -> None:
    from peers import networks  # noqa: F401  before torchvision
    from torchvision import transforms  # noqa: F401

    # As torchvision, this is imported by its first use, and would count in the first run's time.
    torch.optim.SGD([nn.Parameter(torch.zeros(1))])

    plan = changed(LENET, options.set)
    plan = replace(plan, epochs=options.epochs or plan.epochs)
    runs: dict[str, list[dict[str, Any]]] = {"eyespot": [], "usual loop": []}
    for seed in range(options.seeds):
        turns: list[tuple[str, Callable[[], dict[str, Any]]]] = [
            ("eyespot", partial(ours_on_mnist, seed, plan, options)),
            ("usual loop", partial(usual_loop, seed, options)),
        ]
        for name, work in turns if seed % 2 == 0 else reversed(turns):
            runs[name].append(work())
        ours, usual = runs["eyespot"], runs["usual loop"]
        ratios = [u["seconds"] / o["seconds"] for u, o in zip(usual, ours, strict=True)]
        results = {
            "data": "MNIST",
            "plan": plan.to_dict(),
            "goal": GOAL,
            "loader's workers": options.workers,
            "usual loop / eyespot, seconds": spread(ratios),
            **{
                name: {
                    "seconds": spread([run["seconds"] for run in taken]),
                    "test": spread([run["test"] for run in taken]),
                    "reached": sum(run["reached"] for run in taken),
                    "runs": taken,
                }
                for name, taken in runs.items()
            },
        }
        write("lenet", results)
    finish("lenet", results)


# --- a step ------------------------------------------------------------------------------------


def eager_step(plan: Plan, side: int, classes: int) -> Callable[[], float]:
    """torchvision's network in float32, NCHW, with pictures ready made."""
    from peers import networks  # noqa: F401  before torchvision
    from torchvision import models as torchvision_models

    device = best_device()
    network = torchvision_models.get_model(plan.model, weights=None).to(device).train()
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=plan.learning_rate,
        momentum=plan.momentum,
        weight_decay=plan.weight_decay,
    )
    pictures = torch.randn(plan.batch_size, 3, side, side, device=device)
    labels = torch.randint(classes, (plan.batch_size,), device=device)

    def step() -> float:
        optimiser.zero_grad()
        loss = F.cross_entropy(network(pictures), labels)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def seconds_of(work: Callable[[], float]) -> float:
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def step(options: argparse.Namespace) -> None:
    about = zoo.find(STEP.model)
    side, classes = about.preprocessing.size, 1000
    rng = np.random.default_rng(0)
    results: dict[str, Any] = {"plan": changed(STEP, options.set).to_dict(), "batches": {}}
    for batch in options.batches:
        images = rng.integers(0, 256, (2 * batch, side, side, 3), np.uint8)
        labels = rng.integers(classes, size=2 * batch)
        pictures = Pictures(images, labels, tuple(map(str, range(classes))))
        plan = replace(changed(STEP, options.set), batch_size=batch, epochs=1000)
        trainer = Trainer(plan, pictures)
        eager = eager_step(plan, side, classes)
        ours: list[float] = []
        theirs: list[float] = []
        for turn in range(options.warm_up + options.rounds):
            first = [(ours, trainer.train_step), (theirs, eager)]
            taken = [
                (into, seconds_of(work)) for into, work in (first if turn % 2 == 0 else first[::-1])
            ]
            if turn >= options.warm_up:
                for into, seconds in taken:
                    into.append(seconds)
        ratios = [slow / quick for slow, quick in zip(theirs, ours, strict=True)]
        results["batches"][str(batch)] = {
            "precision": trainer.plan.precision,
            "eyespot, seconds": spread(ours),
            "eager float32, seconds": spread(theirs),
            "eager / eyespot": spread(ratios),
            "eyespot, pictures/s": round(batch / statistics.median(ours), 1),
        }
        found = summary(ratios)
        say(
            f"batch {batch} ({trainer.plan.precision}): {statistics.median(ours):.3f} s, eager "
            f"{statistics.median(theirs):.3f} s, {found['median']} ({found['min']} to "
            f"{found['max']}) times"
        )
        write("step", results)
    finish("step", results)


# --- CIFAR-10 ----------------------------------------------------------------------------------


def place(options: argparse.Namespace, plan: Plan) -> Path:
    """Where a run keeps its state; with --folder, the same command goes on after a kill."""
    root = options.folder or Path(tempfile.mkdtemp())
    return Path(root) / f"{plan.model}-{plan.seed}"


def cifar(options: argparse.Namespace) -> None:
    plan = replace(changed(CIFAR, options.set), epochs=options.epochs)
    learn, test = learn_and_test("cifar10", plan.model, options.pictures)
    accuracies: list[float] = []
    seconds: list[float] = []
    results: dict[str, Any] = {"data": RECOMPRESSED, "plan": plan.to_dict(), "runs": []}
    for seed in range(options.seeds):
        mine = replace(plan, seed=seed)
        run: dict[str, Any] = {"seed": seed, "epochs": []}
        results["runs"].append(run)

        def watch(epochs: Sequence[Epoch], run: dict[str, Any] = run) -> None:
            run["epochs"] = list(map(asdict, epochs))
            if epochs:
                last = epochs[-1]
                say(
                    f"seed {run['seed']}, epoch {last.epoch}: loss {last.loss:.4f}, "
                    f"accuracy {last.accuracy:.4f}, {last.seconds:.1f} s"
                )
            write("cifar", results)

        done = train(mine, learn, None, place(options, mine), watch=watch)
        run["test"] = judged(done.network, test, done.preprocessing, done.plan)[1]
        run["precision"] = done.plan.precision
        accuracies.append(run["test"])
        seconds += [epoch.seconds for epoch in done.epochs]
        results.update({"test": spread(accuracies), "seconds per epoch": spread(seconds)})
        say(f"seed {seed}: test {run['test']:.4f}")
        write("cifar", results)
    finish("cifar", results)


def depth(options: argparse.Namespace) -> None:
    plan = replace(changed(DEPTH, options.set), epochs=options.epochs)
    learn, test = learn_and_test("cifar10", plan.model, options.pictures, options.side)
    results: dict[str, Any] = {
        "data": RECOMPRESSED,
        "pictures": len(learn),
        "side": options.side,
        "plan": plan.to_dict(),
        "errors": "training: of the batches as they were seen; test: after the epoch, whose time "
        "is in its seconds",
        "networks": {model: {"runs": {}} for model in options.models},
    }
    judges = options.side == 32  # else what a network takes is not what it was trained with
    for seed, model in itertools.product(range(options.seeds), options.models):
        mine = replace(plan, model=model, seed=seed)
        network = results["networks"][model]

        def watch(
            epochs: Sequence[Epoch],
            model: str = model,
            seed: int = seed,
            network: dict[str, Any] = network,
        ) -> None:
            rows = [
                {
                    "epoch": epoch.epoch,
                    "training loss": epoch.loss,
                    "training error": 1 - epoch.accuracy,
                    **({"test error": 1 - (epoch.val_accuracy or 0.0)} if judges else {}),
                    "seconds": epoch.seconds,
                }
                for epoch in epochs
            ]
            network["runs"][str(seed)] = rows
            if rows:
                shown = ", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items())
                say(f"{model} seed {seed}: {shown}")
            write("depth", results)

        # The test set shows the way of the run and chooses nothing: the last epoch counts.
        train(mine, learn, test, place(options, mine), watch=watch)
        for figure in ("training loss", "training error", *(["test error"] if judges else [])):
            network[figure] = spread([rows[-1][figure] for rows in network["runs"].values()])
        write("depth", results)
    finish("depth", results)


# --- fine-tuning -------------------------------------------------------------------------------


def finetune(options: argparse.Namespace) -> None:
    cache = tempfile.TemporaryDirectory()
    os.environ["EYESPOT_CACHE"] = cache.name  # all is computed anew, and nothing is left behind
    results: dict[str, Any] = {"budget": options.budget, "sets": {}}
    for name, seed in itertools.product(options.sets, range(options.seeds)):
        whole = open_photos(photos(name))
        everything = np.array(whole.photos, dtype=object)
        if seed:  # other folds
            everything = np.random.default_rng(seed).permutation(everything)
        if options.pictures:
            every = max(1, len(everything) // options.pictures)
            everything = everything[::every]
        say(f"{name}, folds {seed}: {len(everything)} photos")
        found = finetuned(Dataset(tuple(everything)), options.budget)
        results["sets"].setdefault(name, []).append({"folds": seed, **found})
        say(f"{name}, folds {seed}: {found['chosen']}; {json.dumps(found['against'])}")
        write("finetune", results)
    finish("finetune", results)
    cache.cleanup()


def finetuned(dataset: Dataset, budget: float) -> dict[str, Any]:
    """All that was tried, and every way of fine-tuning against the linear head that was right most
    often, photo by photo."""
    from eyespot.tasks.classification import teach
    from eyespot.tasks.classification.policy import FINETUNE

    with patch.object(teach, "_choose", wraps=teach._choose) as choosing:
        lesson = teach.teach(dataset, method=FINETUNE, budget=budget)
    trials, tried, labels, _ = choosing.call_args.args
    rows = [
        {**asdict(figures), "log loss": trial.found.log_loss}
        for trial, figures in zip(trials, tried, strict=True)
    ]
    linear = [i for i, t in enumerate(trials) if t.candidate.method in ("svm", "logistic")]
    head = max(linear, key=lambda index: tried[index].top1)
    tunings = [i for i, t in enumerate(trials) if t.candidate.method == FINETUNE]
    return {
        "photos": len(labels),
        "best linear head": rows[head],
        "fine-tuning": [
            {**rows[index], "epochs": trials[index].tuning.epochs} for index in tunings
        ],
        "against": {
            tried[index].method: paired(
                trials[head].found.probabilities, trials[index].found.probabilities, labels
            )
            for index in tunings
        },
        "tried": rows,
        "chosen": lesson.method,
        "reason": lesson.reason,
        "chosen, top1": lesson.evaluation.top1,
        "chosen, interval": lesson.evaluation.top1_interval,
        "seconds": lesson.seconds,
    }


def paired(head: np.ndarray, tuned: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """McNemar's exact test of the answers, and the mean gain in log loss with its standard
    error; of the photos that both were asked about."""
    from scipy.stats import binomtest

    from eyespot.heads.calibration import log_losses

    asked = ~np.isnan(head[:, 0]) & ~np.isnan(tuned[:, 0])
    before, after = (p[asked].argmax(1) == labels[asked] for p in (head, tuned))
    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
    gain = log_losses(head[asked], labels[asked]) - log_losses(tuned[asked], labels[asked])
    return {
        "photos": int(asked.sum()),
        "gain in top1": round(float(after.mean() - before.mean()), 4),
        "only fine-tuning right": won,
        "only the head right": lost,
        "McNemar, p": float(binomtest(won, won + lost).pvalue) if won + lost else 1.0,
        "gain in log loss": round(float(gain.mean()), 4),
        "standard error": round(float(gain.std() / np.sqrt(len(gain))), 4),
    }


# --- the command line --------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="name", required=True)

    def command(
        name: str, work: Callable[[argparse.Namespace], None], seeds: int
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name)
        one.set_defaults(work=work)
        one.add_argument("--seeds", type=int, default=seeds)
        one.add_argument("--pictures", type=int, help="of each split at most; for a trial")
        return one

    def plan_settings(one: argparse.ArgumentParser) -> None:
        one.add_argument("--set", nargs="*", default=[], help="such as learning_rate=0.05")

    command("trio", trio, 3)
    one = command("lenet", lenet, 3)
    plan_settings(one)
    one.add_argument("--epochs", type=int, help="of both, instead of their own; for a trial")
    one.add_argument("--workers", type=int, default=1, help="of the usual loop's loader")
    one = commands.add_parser("step")
    one.set_defaults(work=step)
    plan_settings(one)
    one.add_argument("--batches", type=int, nargs="*", default=[16, 32, 64, 128])
    one.add_argument("--rounds", type=int, default=7)
    one.add_argument("--warm-up", type=int, default=2)
    for name, work, seeds, epochs in (("cifar", cifar, 3, 30), ("depth", depth, 1, 6)):
        one = command(name, work, seeds)
        plan_settings(one)
        one.add_argument("--epochs", type=int, default=epochs)
        one.add_argument("--folder", type=Path, help="keep the runs there, to go on after a kill")
        if name == "depth":
            one.add_argument("--models", nargs="*", default=DEPTHS)
            one.add_argument("--side", type=int, default=32, help="16: four times less to compute")
    one = command("finetune", finetune, 1)
    one.add_argument("--budget", type=float, default=300.0)
    one.add_argument("sets", nargs="*", default=["sign-digits", "chest-xray"])
    options = parser.parse_args()
    options.work(options)


if __name__ == "__main__":
    main()
