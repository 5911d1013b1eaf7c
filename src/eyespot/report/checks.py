"""A page of the checks before training, with the loss over the learning rate."""

import math
from collections.abc import Sequence
from pathlib import Path

from eyespot.atomic import write_atomically
from eyespot.report.html import fill
from eyespot.training.checks.rates import Rates
from eyespot.training.checks.verdict import Verdict
from eyespot.training.plan import Plan

WIDTH, HEIGHT = 200, 80
"""Of the plot, in units of its drawing."""


def write_checks(verdicts: Sequence[Verdict], plan: Plan, path: Path) -> None:
    """Write the page to `path`, atomically. Raises OSError as writing does."""
    write_atomically(path, render(verdicts, plan).encode("utf-8"))


def render(verdicts: Sequence[Verdict], plan: Plan) -> str:
    """The page as HTML."""
    rates = next((verdict for verdict in verdicts if isinstance(verdict, Rates)), None)
    return fill(
        "checks.html",
        verdicts=verdicts,
        plan=plan,
        warnings=sum(not verdict.passed for verdict in verdicts),
        plot=rates and _plot(rates),
        width=WIDTH,
        height=HEIGHT,
    )


def _plot(rates: Rates) -> dict[str, object]:
    """The curve, the powers of ten and the planned rate, in units of the drawing."""
    first, last = math.log10(rates.rates[0]), math.log10(rates.rates[-1])
    low, high = min(rates.losses), max(rates.losses)

    def x(rate: float) -> float:
        return WIDTH * (math.log10(rate) - first) / ((last - first) or 1)

    def y(loss: float) -> float:
        return HEIGHT * (high - loss) / ((high - low) or 1)

    points = zip(rates.rates, rates.losses, strict=True)
    within = rates.rates[0] <= rates.planned <= rates.rates[-1]
    return {
        "curve": " ".join(f"{x(rate):.1f},{y(loss):.1f}" for rate, loss in points),
        "powers": [
            (f"{x(10.0**n):.1f}", f"{10.0**n:g}") for n in range(math.ceil(first), int(last) + 1)
        ],
        "planned": f"{x(rates.planned):.1f}" if within else None,
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
    }
