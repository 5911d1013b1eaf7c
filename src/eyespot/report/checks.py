"""A page of the checks before training, with the loss over the learning rate."""

from collections.abc import Sequence
from pathlib import Path

from eyespot.atomic import write_atomically
from eyespot.report.chart import Chart, chart
from eyespot.report.html import fill
from eyespot.training.checks.rates import WORSE, Rates
from eyespot.training.checks.verdict import Verdict
from eyespot.training.plan import Plan


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
        chart=rates and _chart(rates),
    )


def _chart(rates: Rates) -> Chart:
    most = WORSE * min(rates.losses)  # the last may be so high that nothing else is to be seen
    return chart(
        "rates",
        "The loss as the learning rate rises",
        "learning rate",
        rates.rates,
        {("loss", "unseen"): [min(loss, most) for loss in rates.losses]},
        number="{:.3g}".format,
        logarithmic=True,
        mark=rates.planned if rates.rates[0] <= rates.planned <= rates.rates[-1] else None,
        marked=f"planned: {rates.planned:.3g}",
    )
