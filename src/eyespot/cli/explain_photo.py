"""`eyespot explain PHOTO`: the evidence for a prediction."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.models import model_file, open_model
from eyespot.cli.options import Json, Model, argument, given, option
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, numbered_files, write_png
from eyespot.cli.show import print_json, print_problems, progress, say
from eyespot.errors import PhotoError
from eyespot.shown import printable

if TYPE_CHECKING:
    from eyespot.data.photos import Photo


def photo(
    photos: Annotated[list[str], argument("Files, folders, patterns.")],
    model: Model = None,
    label: Annotated[
        str | None,
        option(
            "The class to explain.", "--class", metavar="LABEL", show_default="the predicted class"
        ),
    ] = None,
    box: Annotated[
        int | None,
        option(
            "The number of the box to explain (detectors).",
            min=1,
            metavar="NUMBER",
            show_default="the 6 most probable",
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

    found = find_photos(photos)
    files = _outputs(found.photos, output)
    read = [p.source.path for p in found.photos if isinstance(p.source, FileSource)]
    check_outputs(files, [*read, *model_file(model)])
    opened = open_model(model)
    options = given(photo, opened.explain, opened, label=label, box=box)
    results: list[dict[str, Any]] = []
    with progress() as step:
        for number, (one, path) in enumerate(zip(found.photos, files, strict=True)):
            if as_json:  # without it, the printed lines are the progress
                step("Explaining photos", number, len(files))
            try:
                explained = opened.explain(one, **options)
            except PhotoError as error:
                results.append({"path": one.name, "error": str(error)})
                if not as_json:
                    say(printable(one.name))
                    say(printable(f"  cannot be used: {error}"))
                continue
            written = write_png(explained.draw(), path)
            results.append({**explained.to_dict(), "image": printable(path)})
            if not as_json:
                for line in explained.lines():
                    say(printable(line))
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
    files = numbered_files(photos, output or Path("explained"), ".png")
    check_folder(files[0].parent, files[0].name)
    return files
