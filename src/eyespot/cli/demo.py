"""`eyespot demo`."""

from pathlib import Path
from typing import Annotated

from eyespot.cli.figures import print_figures
from eyespot.cli.options import option
from eyespot.cli.show import command, progress, say
from eyespot.cli.teach import print_written


def demo(
    folder: Annotated[Path, option("The folder to write.", "-o", "--output")] = Path("demo"),
) -> None:
    """Train a classifier on sample photos and evaluate it.

    The photos show surfaces such as brick and grass. They come from installed packages.

    Example: eyespot demo
    """
    photos, classifier, page = map(folder.joinpath, ("photos", "textures.eyespot", "report.html"))
    with progress() as step:
        from eyespot.data.textures import write_textures
        from eyespot.tasks.classification.teach import teach

        say(f"Writing sample photos: {photos}")
        write_textures(photos)
        taught = teach(photos, progress=step)
        taught.save(classifier)
        taught.report(page)
    print_figures(taught.figures(photos))
    print_written(classifier, page.resolve())
    example = next((photos / "test").rglob("*.png"))
    say(f"      {command()} predict {example} -m {classifier}")
    say(f"      {command()} teach PHOTOS -o mine.eyespot, with PHOTOS/cat/1.jpg, PHOTOS/dog/...")
