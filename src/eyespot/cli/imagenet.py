"""`eyespot evaluate --imagenet`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.cli.models import expect_network
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import print_json, print_rows, print_skipped, print_wrote, progress, say
from eyespot.shown import counted, percent, percent_interval

if TYPE_CHECKING:
    from eyespot.imagenet_eval.evaluate import ImagenetEvaluation as ImageNetResult

VALIDATION = 50_000
"""Images in the challenge's validation set, on which published errors are measured."""
SHOWN = 5
"""Skipped images that are printed."""


def evaluate_network(
    images: str,
    network: str | None,
    crops: int,
    scales: Sequence[int],
    gallery: Path | None,
    as_json: bool,
) -> None:
    """Evaluate `network`, None for the default, and print its errors."""
    check_ending(gallery, ".html", ".htm")
    check_outputs([gallery])
    if network is not None:
        expect_network(network)
    with progress() as step:
        from eyespot.features.backbone import DEFAULT
        from eyespot.imagenet_eval.evaluate import evaluate_imagenet

        result = evaluate_imagenet(
            images,
            network or DEFAULT,
            crops=crops,
            scales=scales,
            progress=lambda done, total: step("Evaluating", done, total),
        )
    if gallery:
        from eyespot.report.gallery import render
        from eyespot.report.html import write_page

        write_page(gallery, render(result))
    if as_json:
        print_json(result.to_dict() | {"gallery": str(gallery) if gallery else None})
        return
    _print(result)
    if gallery:
        print_wrote(gallery)


def _print(result: "ImageNetResult") -> None:
    published, speed = result.network.errors, result.images_per_second
    published_errors = ""
    if published:
        top5 = f", top-5 {published.top5:.1f}%" if published.top5 is not None else ""
        published_errors = f"top-1 error {published.top1:.1f}%{top5} ({published.source})"
        if result.count < VALIDATION:
            published_errors += f", on all {VALIDATION:,} validation images; these may be easier"
    time = "all predictions are from an earlier run"
    if speed is not None:
        resumed = result.count > result.asked
        time = f"{result.seconds:.1f} s, {speed:,.0f} images/s ({result.engine})"
        time += "; the other predictions are from an earlier run" if resumed else ""
    say()
    print_rows(
        [
            ("Network", result.network.name),
            ("Images", f"{counted(result.count, 'image')} of ImageNet, {result.views}"),
            *(
                (f"{name} error", f"{percent(error)}  95% CI {percent_interval(interval)}")
                for name, error, interval in (
                    ("Top-1", result.top1_error, result.top1_interval),
                    ("Top-5", result.top5_error, result.top5_interval),
                )
            ),
            ("Published", published_errors),
            ("Time", time),
        ]
    )
    print_skipped(result.skipped, most=SHOWN)
