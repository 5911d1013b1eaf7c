"""`eyespot predict`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eyespot.cli.at_length import Part, looking, read_and_written, say_failures
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, check_table
from eyespot.cli.show import bar_of, counted, json_text, print_findings, printable, say
from eyespot.cli.streams import expect_reader
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.data.photos import Dataset
    from eyespot.tasks.classification.classifier import Prediction


def predict(
    photos: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, patterns, lists or shards; - for standard input."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("-m", "--model", help="A classifier. [default: 1000 ImageNet classes]"),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list, for machines.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write a Parquet file.")] = None,
    shards: Annotated[
        bool, typer.Option("--shards", help="--parquet names a folder of Parquet files.")
    ] = False,
    share: Part = "1/1",
    camera: Annotated[bool, typer.Option("--camera", help="Look through the camera.")] = False,
    video: Annotated[Path | None, typer.Option(help="Look at a video.")] = None,
) -> int:
    """Say what is on photos: a taught classifier's classes, or the 1000 of ImageNet.

    With --csv or --parquet the same command goes on with a run that was stopped.

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
    from eyespot.data.parts import MANIFEST, WHOLE, Share
    from eyespot.tasks.task import load

    part, tables = Share.parse(share), [path for path in (parquet, csv) if path]
    if (shards and not parquet) or (part != WHOLE and not tables):
        raise UsageError("--shards goes with --parquet, --share with --parquet or --csv.")
    files = [path for path in tables if not (shards and path == parquet)]
    if tables:
        from eyespot.tasks.classification.predict_table import COLUMNS, write_predictions

        check_ending(csv, ".csv")
        if not shards:
            check_ending(parquet, ".parquet")
        for path in files:
            check_table(path, COLUMNS)
    classifier = load(model or "efficientnet_lite0")
    if live:
        from eyespot.cli.live import watch

        watch(classifier, video, top)
        return 0
    dataset = _find(photos or [])
    if shards and parquet:
        check_folder(parquet, MANIFEST)
    read = read_and_written(dataset.photos, files)
    check_outputs(files, [*read, *([model] if model else [])])
    if tables:
        with looking() as step:
            written = write_predictions(
                classifier,
                dataset.photos,
                parquet,
                csv,
                top=top,
                shards=shards,
                share=part,
                progress=step,
                show=_print_json if as_json else lambda answers: None,
            )
        count, failures = written.photos, written.failures
        say_failures(written)
    else:
        answers = _while_read(classifier.predict_batch(dataset.photos, top=top))
        count, failures = (_print_json if as_json else _print)(answers)
    for path in tables:
        said = counted(count, "answer")
        if part != WHOLE:
            say(f"{said} of {len(dataset.photos)} are there for {printable(str(path))}")
        elif not as_json:
            say(f"{said}, {printable(str(path))}", file=sys.stderr)
    print_findings(dataset.findings, sys.stderr)
    for skipped in dataset.skipped:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"), file=sys.stderr)
    return 1 if count and count == failures else 0


def _find(names: list[str]) -> "Dataset":
    from eyespot.data.photos import Dataset, MemorySource, Photo
    from eyespot.data.unlabelled import find_unlabelled

    piped = tuple(
        Photo("standard input", MemorySource(sys.stdin.buffer.read()))
        for name in names
        if name == "-"
    )
    others = [name for name in names if name != "-"]
    found = find_unlabelled(others) if others else Dataset(())
    return Dataset(piped + found.photos, found.skipped, found.findings)


def _while_read(answers: "Iterable[Prediction]") -> "Iterator[Prediction]":
    """What is printed alone need not be computed for nobody."""
    for answer in answers:
        yield answer
        expect_reader()


def _print_json(answers: "Iterable[Prediction]") -> tuple[int, int]:
    """A JSON list, answer by answer; how many answers there were, and how many are errors."""
    count = failures = 0
    for answer in answers:
        say(", " if count else "[", end="")
        say(json_text(answer.to_dict()), end="")
        count += 1
        failures += bool(answer.error)
    say("]" if count else "[]")
    return count, failures


def _print(answers: "Iterable[Prediction]") -> tuple[int, int]:
    count = failures = 0
    for answer in answers:
        count += 1
        say(printable(answer.path))
        if answer.error:
            failures += 1
            say(printable(f"  cannot be used: {answer.error}"))
            continue
        if answer.unknown:
            say("  none of these: it looks like nothing that was taught. The nearest:")
        width = max(len(label) for label, _ in answer.top)
        for label, probability in answer.top:
            say(f"  {printable(label):{width}}  {bar_of(probability)}")
    return count, failures
