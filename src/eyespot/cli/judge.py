"""`eyespot evaluate --imagenet`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import counted, print_json, printable, progress, say

if TYPE_CHECKING:
    from eyespot.imagenet_eval.evaluate import ImagenetEvaluation

VALIDATION = 50_000
"""Pictures in the challenge's validation set, which published errors are measured on."""


def judge_network(
    pictures: str,
    network: str | None,
    crops: int,
    scales: Sequence[int],
    gallery: Path | None,
    as_json: bool,
) -> None:
    """Judge `network`, None for the usual one, and say how it went."""
    check_ending(gallery, ".html", ".htm")
    check_outputs([gallery])
    from eyespot.features.backbone import DEFAULT
    from eyespot.imagenet_eval.evaluate import evaluate_imagenet

    with progress() as step:
        judgement = evaluate_imagenet(
            pictures,
            network or DEFAULT,
            crops=crops,
            scales=scales,
            progress=lambda done, total: step("Judging", done, total),
        )
    if gallery:
        from eyespot.report.gallery import write_gallery

        write_gallery(judgement, gallery)
    if as_json:
        print_json(judgement.to_dict() | {"gallery": str(gallery) if gallery else None})
        return
    _print(judgement)
    if gallery:
        say(f"What went wrong: {printable(str(gallery))}")


def _print(judgement: "ImagenetEvaluation") -> None:
    from eyespot.evaluation import percent, percent_interval

    say(
        f"\n{judgement.network.name} on {counted(judgement.count, 'picture')} of ImageNet, "
        f"{judgement.views}:\n"
    )
    for name, error, (low, high) in (
        ("Top-1", judgement.top1_error, judgement.top1_interval),
        ("Top-5", judgement.top5_error, judgement.top5_interval),
    ):
        say(f"  {name} error {percent(error):>6}  (95% CI {percent_interval((low, high))})")
    say()
    published = judgement.network.errors
    if published:
        top5 = f", top-5 {published.top5:.1f}%" if published.top5 is not None else ""
        say(f"Published: top-1 {published.top1:.1f}%{top5} ({published.source}).")
        if judgement.count < VALIDATION:
            say(f"That was on all {VALIDATION:,} validation pictures; these may be easier.")
    speed = judgement.images_per_second
    earlier = judgement.count - judgement.asked
    if speed is None:
        say("All answers are from an earlier run.")
    else:
        resumed = "; the other answers are from an earlier run" if earlier > 0 else ""
        say(
            f"{counted(judgement.asked, 'picture')} in {judgement.seconds:.1f} s, "
            f"{speed:.0f} a second ({judgement.engine}){resumed}."
        )
    for skipped in judgement.skipped:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"))
