"""`eyespot demo`."""

from pathlib import Path
from typing import Annotated

import typer

from eyespot.cli.show import command, progress, say


def demo(
    folder: Annotated[Path, typer.Option("-o", "--output", help="Where everything goes.")] = Path(
        "demo"
    ),
) -> None:
    """Do the whole job on real pictures that installed packages carry: photographed textures.

    Example: eyespot demo
    """
    from eyespot.cli.teach import print_lesson
    from eyespot.data.textures import write_textures
    from eyespot.report import write_report
    from eyespot.tasks.classification.teach import teach

    photos = folder / "photos"
    say(f"Cutting photographed surfaces into small photos: {photos}")
    write_textures(photos)
    with progress() as step:
        lesson = teach(photos, progress=step)
    classifier, page = folder / "textures.eyespot", folder / "report.html"
    lesson.classifier.save(classifier)
    write_report(lesson, page)
    print_lesson(lesson)
    example = next((photos / "test").rglob("*.png"))
    say(f"\nClassifier  {classifier}\nReport      {page.resolve()}")
    say(f"Try it      {command()} predict {example} -m {classifier}")
    say(f"Your own    {command()} teach PHOTOS -o mine.eyespot")
    say("            with PHOTOS/cat/1.jpg, PHOTOS/dog/...")
