"""Every check passes what is sound, and finds the fault that is planted for it."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.models.convnet import ConvNet
from eyespot.report.checks import _chart as rates_chart
from eyespot.report.checks import render
from eyespot.training.augment import AUGMENTATIONS, Augmentation
from eyespot.training.checks.first_loss import first_loss
from eyespot.training.checks.gradients import Gradients, gradients, slope_error
from eyespot.training.checks.overfit import overfit
from eyespot.training.checks.random_search import random_search
from eyespot.training.checks.rates import Rates, rates
from eyespot.training.checks.run import check
from eyespot.training.checks.signals import Signals, signals
from eyespot.training.images import ImageSet
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer
from eyespot.weights import zoo
from tests.report.test_page import Page
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", batch_size=16, learning_rate=0.05, seed=3)
Change = Callable[[ConvNet], None]
Plant = Callable[[Change], None]


@pytest.fixture(scope="module")
def dataset() -> ImageSet:
    return stripes(120)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Changes every network that is built."""
    sound = zoo.create

    def planted(change: Change) -> None:
        def create(*names: Any, **options: Any) -> ConvNet:
            network = sound(*names, **options)
            with torch.no_grad():
                change(network)
            return network

        monkeypatch.setattr(zoo, "create", create)

    return planted


def layer(network: ConvNet, stage: str) -> nn.Conv2d:
    found = network.get_submodule(f"stages.{stage}.0")
    assert isinstance(found, nn.Conv2d)
    return found


# --- the first loss -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "expected"), [("cross-entropy", math.log(10)), ("hinge", 9), ("squares", 0.45)]
)
def test_the_loss_of_equal_scores(loss: str, expected: float) -> None:
    targets = as_targets(torch.arange(10), 10, 0.0)
    assert float(LOSSES[loss](torch.zeros(10, 10), targets)) == pytest.approx(expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_fresh_network_guesses(loss: str, dataset: ImageSet) -> None:
    assert first_loss(replace(PLAN, loss=loss), dataset).passed


def test_weights_that_are_too_large_are_found(plant: Plant, dataset: ImageSet) -> None:
    def enlarge(network: ConvNet) -> None:
        for parameter in network.parameters():
            parameter.mul_(100)

    plant(enlarge)
    verdict = first_loss(PLAN, dataset)
    assert verdict.loss > 100 * verdict.expected
    assert not verdict.passed
    assert "too large" in verdict.advice
    assert not signals(PLAN, dataset).passed


def test_a_loss_below_chance_is_found(plant: Plant, dataset: ImageSet) -> None:
    # Only the first kind is in the data: to answer it always is right, and betrays nothing.
    ones = replace(dataset, labels=np.zeros_like(dataset.labels))

    def know(network: ConvNet) -> None:
        list(network.head.parameters())[-1].copy_(torch.tensor([5.0, -5.0]))

    plant(know)
    verdict = first_loss(PLAN, ones)
    assert not verdict.passed
    assert "labels" in verdict.advice


# --- overfitting a few images --------------------------------------------------------------------


def test_a_few_images_are_overfitted(dataset: ImageSet) -> None:
    """Whatever their labels, and though the plan regularises beyond measure."""
    shuffled = np.random.default_rng(0).permutation(dataset.labels)
    plan = replace(PLAN, weight_decay=10.0, dropout=0.9, mixup=1.0, l1=1.0, label_smoothing=0.9)
    verdict = overfit(plan, replace(dataset, labels=shuffled))
    assert verdict.passed
    assert verdict.correct == verdict.images == 20
    assert 1 < verdict.steps < 200


def test_frozen_layers_are_found(plant: Plant, dataset: ImageSet) -> None:
    def freeze(network: ConvNet) -> None:
        layer(network, "c3").weight.requires_grad_(False)

    plant(freeze)
    verdict = overfit(PLAN, dataset)
    assert verdict.unmoved == ("stages.c3.0.weight",)
    assert not verdict.passed
    assert "stages.c3.0.weight" in verdict.advice


def test_a_network_that_cannot_train_is_found(plant: Plant, dataset: ImageSet) -> None:
    def freeze(network: ConvNet) -> None:
        for parameter in network.parameters():
            parameter.requires_grad_(parameter.shape == (2,))

    plant(freeze)  # all but the biases of the last layer
    verdict = overfit(PLAN, dataset)
    assert verdict.correct < 20
    assert verdict.steps == 200
    assert not verdict.passed


# --- gradients ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["lenet5", "lenet5_1998", "mnist_conv"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_the_slopes(model: str, loss: str) -> None:
    side = zoo.find(model).preprocessing.size
    verdict = gradients(Plan(model, loss=loss), stripes(20, side=side))
    assert verdict.passed, verdict.errors


def test_batch_norm_is_checked_as_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyespot.training.checks.gradients.LAYERS", 8)
    plan = Plan("resnet20", dropout=0.5)
    colours = stripes(20)
    verdict = gradients(plan, replace(colours, images=colours.images.repeat(3, axis=3)))
    assert verdict.passed, verdict.errors
    assert any("bn" in name for name in verdict.errors)


@pytest.mark.parametrize("kinks", [(3e-9,), (-3e-9,), (0.0,), (-2e-8, 2e-8), (-2e-6, 2e-7)])
def test_a_kink_beside_a_weight_is_no_wrong_gradient(kinks: tuple[float, ...]) -> None:
    """Such as a ReLU that switches within the step: two slopes are mixed where it does."""
    weight = nn.Parameter(torch.tensor([[1.0, 0.3]], dtype=torch.float64))

    def loss() -> Tensor:
        return sum(
            (5 * torch.relu(side * (weight[0, 1] - 0.3 - kink)) for kink, side in sided),
            2 * weight[0, 1] + weight[0, 1] ** 2,
        )

    sided = [(kink, 1.0 if kink >= 0 else -1.0) for kink in kinks]
    loss().backward()  # type: ignore[no-untyped-call]
    here = loss().item()
    assert slope_error(loss, here, weight, 1) < 1e-4
    assert weight.tolist() == [[1.0, 0.3]]
    assert weight.grad is not None
    weight.grad *= 1.001
    assert slope_error(loss, here, weight, 1) > 5e-4


class Wrong(torch.autograd.Function):
    """Passes on 0.1 % too much of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 1.001 * gradient


def test_a_wrong_gradient_is_found_and_where(plant: Plant, dataset: ImageSet) -> None:
    def spoil(network: ConvNet) -> None:
        layer(network, "c5").register_forward_hook(lambda m, i, out: Wrong.apply(out))  # type: ignore[no-untyped-call]

    plant(spoil)
    verdict = gradients(PLAN, dataset)
    assert not verdict.passed
    wrong = [name for name, error in verdict.errors.items() if error > 1e-4]
    assert wrong == ["stages.c1.0", "stages.c3.0", "stages.c5.0"]
    assert verdict.errors["stages.f6.0"] < 1e-5


# --- learning rates -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def doubtful() -> ImageSet:
    """A fifth of the labels is wrong, so that the loss cannot come near zero."""
    sound, rng = stripes(600), np.random.default_rng(0)
    return replace(sound, labels=sound.labels ^ (rng.random(600) < 0.2))


def test_a_rate_from_the_range_converges_and_one_beyond_it_does_not(doubtful: ImageSet) -> None:
    verdict = rates(PLAN, doubtful)
    assert verdict.passed
    assert verdict.suggested < verdict.limit < 10
    assert list(verdict.rates) == sorted(verdict.rates)
    assert len(verdict.rates) == len(verdict.losses) <= 100

    def loss_at(rate: float) -> float:
        trainer = Trainer(replace(PLAN, schedule="constant", learning_rate=rate), doubtful)
        return float(np.mean([trainer.train_step() for _ in range(80)][-30:]))

    assert loss_at(verdict.suggested) < 0.62 < 0.67 < loss_at(2 * verdict.limit)


@pytest.mark.parametrize("rate", [1e-6, 9.0])
def test_a_rate_that_does_not_fit_is_found(rate: float, doubtful: ImageSet) -> None:
    verdict = rates(replace(PLAN, learning_rate=rate), doubtful)
    assert not verdict.passed
    assert f"--learning-rate {verdict.suggested:.2g}" in verdict.advice


def test_without_progress_no_rate_is_suggested(plant: Plant, dataset: ImageSet) -> None:
    def kill(network: ConvNet) -> None:
        layer(network, "c3").weight.zero_()
        layer(network, "c3").bias.fill_(-1e3)  # type: ignore[union-attr]

    plant(kill)
    verdict = rates(PLAN, dataset)
    assert not verdict.passed
    assert "no rate" in verdict.summary


def test_the_figures_of_a_range() -> None:
    found = Rates(0.5, (1e-3, 1e-2, 1e-1, 1.0, 10.0), (1.0, 0.7, 0.4, 0.9, 1.5))
    assert found.limit == 10
    assert found.suggested <= 0.1
    assert found.passed
    assert not replace(found, planned=20.0).passed
    assert found.summary.endswith("10 is the limit")
    endless = replace(found, losses=(1.0, 0.7, 0.4, 0.1, 0.0))
    assert endless.summary.endswith("there is no limit up to 10")
    assert not replace(found, losses=(1.0, 0.999, 1.0, 1.0, 1.0)).passed


# --- signals ------------------------------------------------------------------------------------


def test_signals_come_through(dataset: ImageSet) -> None:
    verdict = signals(PLAN, dataset)
    assert verdict.passed
    assert list(verdict.deviations) == [
        *(f"stages.{stage}.0" for stage in ("c1", "c3", "c5", "f6")),
        "head.linear",
    ]


def test_dead_units_are_found(plant: Plant, dataset: ImageSet) -> None:
    def kill(network: ConvNet) -> None:
        layer(network, "c3").bias[:12] = -1e3  # type: ignore[index]

    plant(kill)
    verdict = signals(PLAN, dataset)
    assert verdict.starved == ("stages.c5.0",)
    assert verdict.dead["stages.c5.0"] >= 12 / 16
    assert not verdict.passed


@pytest.mark.parametrize(("factor", "unfit"), [(1e-7, "vanish"), (1e7, "explode")])
def test_signals_that_fade_or_explode_are_found(
    factor: float, unfit: str, plant: Plant, dataset: ImageSet
) -> None:
    def scale(network: ConvNet) -> None:
        for parameter in layer(network, "c3").parameters():
            parameter.mul_(factor)

    plant(scale)
    verdict = signals(PLAN, dataset)
    assert verdict.unfit[0] == "stages.c3.0"
    assert not verdict.passed
    assert unfit in verdict.advice


# --- random search ------------------------------------------------------------------------------


def test_the_best_of_many_draws_is_better_than_guessing() -> None:
    """Where brightness tells the classes apart, and only then."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    images = (60 + 100 * labels[:, None, None, None] + rng.integers(0, 40, (400, 8, 8, 1))).astype(
        np.uint8
    )
    bright = ImageSet(images, labels, ("dark", "light"))
    learn, held = bright.take(np.arange(200)), bright.take(np.arange(200, 400))
    verdict = random_search(PLAN, learn, held)
    assert verdict.accuracy is not None
    assert verdict.accuracy > 0.95
    assert verdict.loss < math.log(2)
    shuffled = random_search(PLAN, learn, replace(held, labels=rng.permutation(held.labels)))
    assert shuffled.accuracy == pytest.approx(0.5, abs=0.15)
    assert random_search(PLAN, learn, None).accuracy is None


# --- all of them --------------------------------------------------------------------------------


def test_the_same_plan_gives_the_same_verdicts_and_keeps_the_seed(
    dataset: ImageSet,
) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = check(PLAN, dataset, dataset)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)
    assert check(PLAN, dataset, dataset) == first
    assert [verdict.title for verdict in first if not verdict.passed] == []
    assert check(replace(PLAN, seed=4), dataset, dataset) != first


def test_images_kept_for_crops_are_checked(
    dataset: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = Augmentation(lambda side: side + 8, 0, True)
    monkeypatch.setitem(AUGMENTATIONS, "crops", crops)
    verdicts = check(replace(PLAN, augmentation="crops"), stripes(120, side=40), None)
    assert len(verdicts) == 6


def test_the_page_says_what_the_verdicts_say(dataset: ImageSet) -> None:
    verdicts = check(replace(PLAN, learning_rate=1e-6), dataset, None)
    page = render(verdicts, PLAN)
    assert not Page(page).unbalanced
    assert "1</span> of 6 checks warn" in page
    assert "<polyline" in page
    assert all(verdict.title in page for verdict in verdicts)
    assert "nan" not in page


def test_the_page_has_every_layer_with_what_was_found_there() -> None:
    signals = Signals({"first": 1.5, "second": 3e-6}, {"first": 0.0, "second": 0.75})
    slopes = Gradients({"first": 2e-6, "head": 0.02})
    rows = re.findall(r'<tr><th scope="row">.*</tr>', render((signals, slopes), PLAN))
    text = [re.sub(r"<[^>]*>", " ", row).replace("\N{NO-BREAK SPACE}", " ").split() for row in rows]
    assert text == [
        ["first", "1.5", "0%", "2.0e-06"],
        ["second", "warning", "3e-06", "warning", "75.0%", "not", "measured"],
        ["head", *["not", "measured"] * 2, "warning", "2.0e-02"],
    ]


def test_the_command_checks_and_does_not_train(dataset: ImageSet, tmp_path: Path) -> None:
    for index, (image, label) in enumerate(zip(dataset.images, dataset.labels, strict=True)):
        folder = tmp_path / "photos" / dataset.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(folder / f"{index}.png")
    out = tmp_path / "out"
    line = ["train", str(tmp_path / "photos"), "--model", "lenet5", "--check", "-o", str(out)]
    done = CliRunner().invoke(app, [*line, "--lr", "0.000001"])
    assert done.exit_code == 0, done.output
    assert done.output.count("passed ") == 5
    assert done.output.count("warning ") == 1
    assert "Try --learning-rate" in done.output
    assert [path.name for path in out.iterdir()] == ["check.html"]
    # The others that torchrun starts leave it to the first.
    idle = CliRunner().invoke(app, [*line, "-o", str(tmp_path / "other")], env={"RANK": "1"})
    assert idle.exit_code == 0
    assert not idle.output
    assert not (tmp_path / "other").exists()


def test_the_chart_shows_the_whole_fall() -> None:
    """From 2.3 to 0.1: not only what is below twice the least."""
    found = Rates(0.1, (1e-3, 1e-2, 1e-1, 1.0, 10.0), (2.3, 1.5, 0.1, 0.15, 40.0))
    (line,) = rates_chart(found).lines
    heights = [float(point.split(",")[1]) for point in line.points.split()]
    assert heights[0] < heights[1] < heights[3] < heights[2]  # 0 is at the top
    assert heights[0] == pytest.approx(heights[4])  # the explosion hides nothing


def test_no_first_loss_is_finite(doubtful: ImageSet) -> None:
    verdict = rates(replace(PLAN, optimiser="sgd", l1=1e308), doubtful)
    assert not verdict.passed
    assert "at no rate" in verdict.summary
    assert rates_chart(verdict).lines == ()
