"""`eyespot explain PHOTO`: why a classifier says what it says."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eyespot.cli.outputs import check_ending, check_folder, check_outputs, write_png
from eyespot.cli.show import counted, print_findings, print_json, printable, progress, say
from eyespot.errors import PhotoError

if TYPE_CHECKING:
    from eyespot.data.photos import Photo
    from eyespot.explain.photo import Explanation

STEM = 50
"""Letters of a photo's name in that of its picture."""


def photo(
    photos: Annotated[list[str], typer.Argument(help="Files, folders, patterns.")],
    model: Annotated[
        Path | None,
        typer.Option("-m", "--model", help="A classifier. [default: 1000 ImageNet classes]"),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--class", metavar="LABEL", help="Why not this one? [default: the answer]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The PNG file, or the folder for several. [default: explained.png, explained]",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list, for machines.")] = False,
) -> int:
    """Say why a classifier says what it says of photos, and draw it.

    Example: eyespot explain photo.jpg -m pets.eyespot -o explained.png
    """
    from eyespot.data.folders import find_photos
    from eyespot.data.photos import FileSource
    from eyespot.explain.photo import explain_photo
    from eyespot.explain.photo_page import draw_explanation
    from eyespot.tasks.task import load

    found = find_photos(photos)
    files = _outputs(found.photos, output)
    read = [p.source.path for p in found.photos if isinstance(p.source, FileSource)]
    check_outputs(files, [*read, *([model] if model else [])])
    classifier = load(model or "efficientnet_lite0")
    told: list[dict[str, Any]] = []
    with progress() as step:
        for number, (one, path) in enumerate(zip(found.photos, files, strict=True)):
            if as_json:  # what is printed shows how far it is
                step("Explaining photos", number, len(files))
            try:
                explained = explain_photo(classifier, one, label)
            except PhotoError as error:
                told.append({"path": one.name, "error": str(error)})
                if not as_json:
                    say(printable(one.name))
                    say(printable(f"  cannot be used: {error}"))
                continue
            written = write_png(draw_explanation(explained), path)
            told.append({**explained.to_dict(), "picture": printable(str(path))})
            if not as_json:
                _print(explained)
                say(f"  {written}")
    if as_json:
        print_json(told)
    print_findings(found.findings, sys.stderr)
    for skipped in found.skipped:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"), file=sys.stderr)
    return 1 if all(one["error"] for one in told) else 0


def _outputs(photos: "tuple[Photo, ...]", output: Path | None) -> list[Path]:
    """Where the picture of each photo goes."""
    if len(photos) == 1:
        path = output or Path("explained.png")
        check_ending(path, ".png")
        return [path]
    folder, digits = output or Path("explained"), len(str(len(photos)))
    names = [
        f"{number:0{digits}}-{Path(photo.name).stem[:STEM]}.png"
        for number, photo in enumerate(photos, start=1)
    ]
    check_folder(folder, names[0])
    return [folder / name for name in names]


def _print(explained: "Explanation") -> None:
    from eyespot.evaluation import percent

    rival, share = explained.rival
    lines = [explained.prediction.path, f"  {explained.answer}"]
    if explained.gap >= 0:
        lines.append(
            f"  Next is {rival}, {percent(share)}: {100 * explained.gap:.1f} points behind."
        )
    else:
        lines.append(f"  It is {-100 * explained.gap:.1f} points behind {rival}.")
    lines.append(f"  {_change(explained)}")
    if explained.near is None:
        lines.append("  The taught photos most alike are not known: it keeps none.")
    else:
        lines.append("  The taught photos most alike:")
        width = max((len(near.label) for near in explained.near), default=0)
        lines += [f"    {n.label:{width}}  {n.similarity:5.2f}  {n.name}" for n in explained.near]
    for line in lines:
        say(printable(line))


def _change(explained: "Explanation") -> str:
    from eyespot.evaluation import percent
    from eyespot.explain.change import MOST

    change = explained.change
    if change is None:
        wanted = "it" if explained.gap >= 0 else f"it to {explained.label}"
        return f"Covering up to {MOST} squares of the photo does not change {wanted}."
    squares = counted(len(change.boxes), "square")
    return (
        f"With {squares} covered ({percent(change.share)} of the photo) it would say "
        f"{change.label}, {percent(change.probability)}."
    )
