"""The page of the checks before training, with the loss by learning rate."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from eyespot.report.chart import Chart, chart
from eyespot.report.html import fill
from eyespot.training.checks.check import CheckResult
from eyespot.training.checks.gradients import TOLERANCE, Gradients
from eyespot.training.checks.rates import WORSE, Rates
from eyespot.training.checks.signals import Signals
from eyespot.training.plan import Plan


def render(verdicts: Sequence[CheckResult], plan: Plan) -> str:
    """The page as HTML."""
    rates = next((verdict for verdict in verdicts if isinstance(verdict, Rates)), None)
    return fill(
        "checks.html",
        verdicts=verdicts,
        plan=plan,
        warnings=sum(not verdict.passed for verdict in verdicts),
        chart=rates and _chart(rates),
        layers=_layers(verdicts),
    )


def _layers(verdicts: Sequence[CheckResult]) -> list[dict[str, Any]]:
    """What the checks found in each layer."""
    signals = next((verdict for verdict in verdicts if isinstance(verdict, Signals)), None)
    slopes = next((verdict for verdict in verdicts if isinstance(verdict, Gradients)), None)
    deviations, dead = (signals.deviations, signals.dead) if signals else ({}, {})
    errors = slopes.errors if slopes else {}
    return [
        {
            "name": name,
            "deviation": deviations.get(name),
            "dead": dead.get(name),
            "error": errors.get(name),
            "unfit": signals is not None and name in signals.unfit,
            "starved": signals is not None and name in signals.starved,
            "wrong": errors.get(name, 0.0) > TOLERANCE,
        }
        for name in dict.fromkeys((*deviations, *errors))
    ]


def _chart(rates: Rates) -> Chart:
    # Losses after the minimum may be so high that they would flatten the rest of the curve.
    fall = rates.losses[: int(np.argmin(rates.losses)) + 1]
    most = max(*fall, WORSE * min(fall))
    planned = rates.rates[0] <= rates.planned <= rates.rates[-1]
    return chart(
        "rates",
        "Loss by learning rate",
        "learning rate",
        rates.rates,
        {("loss", "validation"): [min(loss, most) for loss in rates.losses]},
        number="{:.3g}".format,
        logarithmic=True,
        mark=(rates.planned, f"planned: {rates.planned:.3g}") if planned else None,
    )
