"""`eyespot predict`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eyespot.cli.outputs import check_outputs
from eyespot.cli.show import bar, counted, print_json, printable
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.classifier import Prediction
    from eyespot.data.photos import Dataset


def predict(
    photos: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, patterns; - for standard input.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("-m", "--model", help="A classifier. [default: 1000 ImageNet classes]"),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list, for machines.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write a Parquet file.")] = None,
    camera: Annotated[bool, typer.Option("--camera", help="Look through the camera.")] = False,
    video: Annotated[Path | None, typer.Option(help="Look at a video.")] = None,
) -> int:
    """Say what is on photos: a taught classifier's classes, or the 1000 of ImageNet.

    Example: eyespot predict holiday/ -m pets.eyespot --csv answers.csv
    """
    live = camera or video is not None
    if not photos and not live:
        raise UsageError("Name at least one photo, folder or pattern, or use --camera or --video.")
    if live and (photos or as_json or csv or parquet or (camera and video is not None)):
        raise UsageError(
            "--camera and --video show what they see and write nothing: use one of them, without "
            "photos, --json, --csv and --parquet."
        )
    from eyespot.classifier import imagenet, load
    from eyespot.cli.tables import write_csv, write_parquet
    from eyespot.data.photos import FileSource

    classifier = load(model) if model else imagenet()
    if live:
        from eyespot.cli.live import watch

        watch(classifier, video, top)
        return 0
    dataset = _find(photos or [])
    read = [p.source.path for p in dataset.photos if isinstance(p.source, FileSource)]
    check_outputs((csv, parquet), [*read, *([model] if model else [])])
    stream = classifier.predict_many(dataset.photos, top=top)
    if csv or parquet or as_json:
        answers = list(stream)
        if csv:
            write_csv(answers, csv)
        if parquet:
            write_parquet(answers, parquet)
        if as_json:
            print_json([answer.to_dict() for answer in answers])
    else:
        answers = _print(stream)
    for path in (csv, parquet):
        if path and not as_json:
            said = counted(len(answers), "answer")
            print(f"{said}, {printable(str(path))}", file=sys.stderr)
    for skipped in dataset.skipped:
        print(printable(f"Skipped {skipped.path}: {skipped.reason}"), file=sys.stderr)
    return 1 if answers and all(answer.error for answer in answers) else 0


def _find(names: list[str]) -> "Dataset":
    from eyespot.data.folders import find_photos
    from eyespot.data.photos import Dataset, MemorySource, Photo

    piped = tuple(
        Photo("standard input", MemorySource(sys.stdin.buffer.read()))
        for name in names
        if name == "-"
    )
    others = [name for name in names if name != "-"]
    found = find_photos(others) if others else Dataset(())
    return Dataset(piped + found.photos, found.skipped)


def _print(answers: "Iterable[Prediction]") -> "list[Prediction]":
    shown = []
    for answer in answers:
        shown.append(answer)
        print(printable(answer.path))
        if answer.error:
            print(printable(f"  cannot be used: {answer.error}"))
            continue
        if answer.unknown:
            print("  none of these: it looks like nothing that was taught. The nearest:")
        width = max(len(label) for label, _ in answer.top)
        for label, probability in answer.top:
            print(f"  {printable(label):{width}}  {bar(probability)} {probability:6.1%}")
    return shown
