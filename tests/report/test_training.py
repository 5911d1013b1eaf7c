"""The page of a training run: its curves are those of the run, and no name becomes markup."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eyespot.data.photos import Skipped
from eyespot.evaluation import percent_interval, wilson_interval
from eyespot.report.chart import chart, steps
from eyespot.report.html import write_page
from eyespot.report.training import render
from eyespot.tasks.classification.train import Training
from eyespot.training.evaluate import class_probabilities
from eyespot.training.plan import Plan
from eyespot.training.run import Trained
from eyespot.training.trainer import Trainer
from tests.report.test_browser import LONG, ask, browser, open_page
from tests.report.test_page import ESCAPE, HOSTILE, Page
from tests.training.test_log import EPOCHS, FIRST
from tests.training.test_trainer import stripes

__all__ = ["browser"]

PLAN = Plan("lenet5", epochs=4, batch_size=16, seed=3)
RUN = tuple(
    replace(epoch, val_accuracy=right)
    for epoch, right in zip(EPOCHS, (0.5, 0.75, 0.9, 0.6), strict=True)
)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """An untrained network, with classes of hostile names."""
    pictures = replace(stripes(40), classes=(HOSTILE, LONG))
    trainer = Trainer(PLAN, pictures)
    trained = Trained(trainer.network.eval(), PLAN, trainer.preprocessing, pictures.classes, RUN)
    skipped = (Skipped(ESCAPE, HOSTILE),)
    path = tmp_path_factory.mktemp("run") / "network.safetensors"
    return Training(trained, 120, 20, 200, (0.7, 0.815), pictures, skipped, path, None)


def words(text: str) -> str:
    return " ".join(" ".join(Page(text).words).split())


def test_the_curves_are_those_of_the_run() -> None:
    page = Page(render(PLAN, RUN))
    assert not page.unbalanced
    assert page.scripts == []
    lines = [
        [float(point.split(",")[1]) for point in a["points"].split()]
        for tag, a in page.elements
        if tag == "polyline"
    ]
    expected = [
        [100 * (1 - share) / 0.8 for share in (0.25, 0.25, 0.25, 0.25)],  # from 20% to 100%
        [100 * (1 - share) / 0.8 for share in (0.5, 0.75, 0.9, 0.6)],
        [100 * (2 - loss) / 2 for loss in (2, 1, 2 / 3, 0.5)],
        [100 * (2 - loss) / 2 for loss in (1.5, 1.5, 1.5, 1.5)],
        [0.0, 0.0, 0.0, 0.0],  # a rate that stays
    ]
    assert lines == [pytest.approx(line, abs=0.01) for line in expected]
    assert "best: epoch 3" in words(render(PLAN, RUN))
    assert len([a for tag, a in page.elements if a.get("class") == "chosen"]) == 1


def test_the_settings_have_what_the_plan_has_not() -> None:
    said = words(render(PLAN, RUN, more={"every": 7}))
    assert "Held out" not in said  # before the end nobody knows whether any were
    assert "Every 7" in said
    assert "every" not in words(render(PLAN, RUN, more={"every": 0})).partition("Settings")[2]
    assert "Epoch 3 has the best validation accuracy" in said


def test_images_are_there_when_the_page_is_printed(training: Training) -> None:
    assert 'loading="lazy"' not in render(PLAN, RUN, training)


def test_before_it_is_over_it_says_so_and_has_intervals() -> None:
    text = render(PLAN, RUN[:3])
    said = words(text)
    assert "90.0% accuracy on 20 validation images" in said
    assert "3 of 4 epochs" in said
    assert "Training is running, or was interrupted" in said
    low, high = wilson_interval(18, 20)
    assert percent_interval((low, high)) in said
    assert "Confusion matrix" not in said


def test_in_the_end_it_says_what_came_of_it(training: Training) -> None:
    text = render(PLAN, RUN, training)
    said = words(text)
    assert "81.5% accuracy on 200 test images" in said
    assert "is running" not in said
    low, high = wilson_interval(163, 200)
    assert f"81.5% {percent_interval((low, high))}" in said
    assert training.validation is not None
    guesses = class_probabilities(
        training.trained.network, training.validation, training.trained.preprocessing, PLAN
    ).argmax(1)
    wrong = int((guesses != training.validation.labels).sum())
    assert 0 < wrong < 40
    page = Page(text)
    images = [a["src"] for tag, a in page.elements if tag == "img"]
    assert len(images) == min(wrong, 24)
    assert all(source.startswith("data:image/jpeg;base64,") for source in images)
    rows = re.findall(r'<td class="(right|wrong)"[^>]*>(\d*)</td>', text)
    assert sum(int(count or 0) for kind, count in rows if kind == "wrong") == wrong
    assert sum(int(count or 0) for _, count in rows) == 40


def test_settings_that_are_used_are_on_it_and_others_named(training: Training) -> None:
    plan = replace(PLAN, mixup=0.4, seed=0)
    trained = replace(training.trained, plan=plan)
    said = words(render(plan, RUN, replace(training, trained=trained)))
    assert "Mixup 0.4" in said
    assert "Seed 0" in said
    assert re.search(r"without effect in this run: [a-z0-9, ]*cutmix", said)
    assert "Nesterov True" in said
    still = words(render(replace(PLAN, momentum=0.0), RUN))
    assert "Nesterov" not in still
    assert "Held out 0.1" in words(render(PLAN, RUN, replace(training, held_out=0.1)))


def test_where_it_stopped_early_and_what_is_kept() -> None:
    ended = [*RUN[:3], replace(RUN[3], stopped_early=True)]
    said = words(render(replace(PLAN, epochs=9, patience=1), ended))
    assert "stopped early, after epoch 4 of 9: no better validation accuracy in 1 epoch." in said
    assert "The weights of epoch 3 are kept: best validation accuracy, 90.00%." in said


def test_no_name_breaks_out(training: Training) -> None:
    text = render(PLAN, RUN, training)
    page = Page(text)
    assert not page.unbalanced
    assert page.scripts == []
    assert HOSTILE not in text
    assert ESCAPE not in text
    assert HOSTILE in "".join(page.words)
    assert not [a for _, a in page.elements if any(v.startswith("http") for v in a.values())]


def test_without_validation_nothing_is_invented() -> None:
    text = render(PLAN, [replace(FIRST, val_loss=None, val_accuracy=None, val_images=0)])
    said = words(text)
    assert "25.0% accuracy on the training images" in said
    assert "best" not in said
    assert "nan" not in text.lower()
    assert "None" not in said


def test_scores_that_are_no_probabilities_are_not_shown_as_such(training: Training) -> None:
    hinge = render(replace(PLAN, loss="hinge"), RUN, training)
    assert "predicted <b>" in hinge
    assert not re.search(r"predicted <b>.*</b> \(", hinge)


def test_a_loss_without_end_does_not_bend_the_chart() -> None:
    text = render(PLAN, [*RUN[:3], replace(RUN[3], val_loss=float("inf"))])
    assert "inf" not in re.sub(r"<table.*?</table>|<style.*?</style>", "", text, flags=re.S)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.31, 0.97, [0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 2.3, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
        (5.0, 5.0, [5.0, 6.0]),
        (0.0, 0.0, [0.0, 0.2]),
    ],
)
def test_numbers_along_an_axis_are_round(low: float, high: float, expected: list[float]) -> None:
    assert steps(low, high) == expected


def test_rates_stand_at_their_powers_of_ten() -> None:
    drawn = chart(
        "rates", "", "rate", (1e-3, 1e-2, 1e-1), {("loss", "validation"): (3.0, 2.0, 1.0)},
        logarithmic=True, mark=(1e-2, "planned"),
    )  # fmt: skip
    assert drawn.ticks == (("0.00", "0.001"), ("50.00", "0.01"), ("100.00", "0.1"))
    assert drawn.mark == ("50.00", "planned")
    assert drawn.lines[0].points == "0.00,0.00 50.00,50.00 100.00,100.00"


@pytest.mark.browser
def test_a_telephone_shows_it_and_has_nothing_to_complain_of(
    browser: str, training: Training, tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    torch.manual_seed(0)
    write_page(page, render(PLAN, RUN, training))
    script = """return {
      width: page.documentElement.scrollWidth,
      wide: [...page.querySelectorAll("body *")].filter((e) => !e.closest(".skip, .scroll"))
        .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
        .map((e) => e.outerHTML.slice(0, 80)),
      letters: [...page.querySelectorAll(".chart .tick")]
        .map((e) => parseFloat(window.getComputedStyle(e).fontSize)),
      names: [...page.querySelectorAll(".chart svg[role=img]")]
        .map((e) => page.getElementById(e.getAttribute("aria-labelledby").split(" ")[0]))
        .map((e) => e.textContent),
    }"""
    found = ask(browser, page, tmp_path, script, 320)
    assert found["wide"] == []
    assert found["width"] <= 320
    assert np.min(found["letters"]) >= 12
    assert found["names"][0] == "Accuracy"
    content, said = open_page(browser, page, tmp_path, "--dump-dom")
    assert "</html>" in content
    assert "CONSOLE" not in said
