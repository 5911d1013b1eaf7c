"""`eyespot explain PHOTO`: the evidence for a prediction."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.models import model_file, open_model
from eyespot.cli.options import Json, Model, argument, option
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, write_png
from eyespot.cli.show import print_json, print_problems, progress, say
from eyespot.errors import PhotoError
from eyespot.shown import counted, percent, printable

if TYPE_CHECKING:
    from eyespot.data.photos import Photo
    from eyespot.explain.photo import Explanation

STEM = 50
"""Letters of a photo's name that its PNG file takes over."""


def photo(
    photos: Annotated[list[str], argument("Files, folders, patterns.")],
    model: Model = None,
    label: Annotated[
        str | None,
        option(
            "The class to explain.", "--class", metavar="LABEL", show_default="the predicted class"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        option(
            "The PNG file, or the folder for several photos.",
            "-o",
            "--output",
            show_default="explained.png, explained",
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Explain the predictions for photos, and draw the evidence.

    Example: eyespot explain photo.jpg -m pets.eyespot -o explained.png
    """
    from eyespot.data.folders import find_photos
    from eyespot.data.photos import FileSource
    from eyespot.explain.photo import explain_photo
    from eyespot.explain.photo_page import draw_explanation

    found = find_photos(photos)
    files = _outputs(found.photos, output)
    read = [p.source.path for p in found.photos if isinstance(p.source, FileSource)]
    check_outputs(files, [*read, *model_file(model)])
    classifier = open_model(model)
    results: list[dict[str, Any]] = []
    with progress() as step:
        for number, (one, path) in enumerate(zip(found.photos, files, strict=True)):
            if as_json:  # without it, the printed lines are the progress
                step("Explaining photos", number, len(files))
            try:
                explained = explain_photo(classifier, one, label)
            except PhotoError as error:
                results.append({"path": one.name, "error": str(error)})
                if not as_json:
                    say(printable(one.name))
                    say(printable(f"  cannot be used: {error}"))
                continue
            written = write_png(draw_explanation(explained), path)
            results.append({**explained.to_dict(), "image": printable(path)})
            if not as_json:
                _print(explained)
                say(f"  {written}")
    if as_json:
        print_json(results)
    print_problems(found)
    return 1 if all(one["error"] for one in results) else 0


def _outputs(photos: "tuple[Photo, ...]", output: Path | None) -> list[Path]:
    """The PNG file for each photo."""
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
    rival, share = explained.rival
    lines = [explained.prediction.path, f"  {explained.answer}"]
    if explained.gap >= 0:
        lines.append(
            f"  Second: {rival}, {percent(share)}, {100 * explained.gap:.1f} points behind."
        )
    else:
        lines.append(f"  {explained.label} is {-100 * explained.gap:.1f} points behind {rival}.")
    lines.append(f"  {_change(explained)}")
    if explained.near is None:
        lines.append("  Similar training photos: unknown, the model stores none.")
    else:
        lines.append("  Similar training photos:")
        width = max((len(near.label) for near in explained.near), default=0)
        lines += [f"    {n.label:{width}}  {n.similarity:5.2f}  {n.name}" for n in explained.near]
    for line in lines:
        say(printable(line))


def _change(explained: "Explanation") -> str:
    from eyespot.explain.change import MOST

    change = explained.change
    if change is None:
        to = "" if explained.gap >= 0 else f" to {explained.label}"
        return f"Covering up to {MOST} squares does not change the prediction{to}."
    squares = counted(len(change.boxes), "square")
    return (
        f"With {squares} covered ({percent(change.share)} of the photo) the prediction is "
        f"{change.label}, {percent(change.probability)}."
    )
