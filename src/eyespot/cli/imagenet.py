"""`eyespot evaluate --imagenet`."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.cli.models import expect_network
from eyespot.cli.options import option, options_of
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import print_json, print_rows, print_skipped, print_wrote, progress, say
from eyespot.shown import counted, percent, percent_interval

if TYPE_CHECKING:
    from eyespot.imagenet_eval.evaluate import ImagenetEvaluation as ImageNetResult

VALIDATION = 50_000
"""Images in the challenge's validation set, on which published errors are measured."""
SHOWN = 5
"""Skipped images that are printed."""


@dataclass(frozen=True, slots=True)
class OnImagenet:
    """Labelled images of ImageNet, and how a network is evaluated on them."""

    imagenet: str | None = None
    crops: int = 1
    scales: list[int] | None = None
    gallery: Path | None = None


_option = partial(option, rich_help_panel="ImageNet")
with_imagenet = options_of(
    "on",
    OnImagenet(),
    {
        "imagenet": _option(
            "Measure a network of the zoo on labelled ImageNet images: a folder or shards.",
            metavar="IMAGES",
        ),
        "crops": _option("Crops of each image: 1 or 10."),
        "scales": _option(
            "Short side in pixels before cropping; repeat it for more scales.", "--scales"
        ),
        "gallery": _option("A page of misclassified images to write.", metavar="FILE"),
    },
)
"""Give a verb with a parameter `on` the options of OnImagenet."""


def evaluate_network(on: OnImagenet, network: str | None, as_json: bool) -> None:
    """Evaluate `network`, None for the default, and print its errors."""
    check_ending(on.gallery, ".html", ".htm")
    check_outputs([on.gallery])
    if network is not None:
        expect_network(network)
    with progress() as step:
        from eyespot.features.backbone import DEFAULT
        from eyespot.imagenet_eval.evaluate import evaluate_imagenet

        result = evaluate_imagenet(
            on.imagenet or "",
            network or DEFAULT,
            crops=on.crops,
            scales=on.scales or [],
            progress=lambda done, total: step("Evaluating", done, total),
        )
    if on.gallery:
        from eyespot.report.gallery import render
        from eyespot.report.html import write_page

        write_page(on.gallery, render(result))
    if as_json:
        print_json(result.to_dict() | {"gallery": str(on.gallery) if on.gallery else None})
        return
    _print(result)
    if on.gallery:
        print_wrote(on.gallery)


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
