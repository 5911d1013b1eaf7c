"""`eyespot predict`."""

import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.models import model_file, open_model
from eyespot.cli.options import Json, Model, ShareOf, Verbose, argument, option
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, check_table
from eyespot.cli.predictions import (
    Show,
    print_lines,
    print_predictions_json,
    print_top,
    while_read,
)
from eyespot.cli.show import print_failures, print_problems, resumable, say
from eyespot.errors import UsageError
from eyespot.shown import counted, printable

if TYPE_CHECKING:
    from eyespot.data.parts import Share, Written
    from eyespot.data.photos import Dataset
    from eyespot.tasks.classification.classifier import Classifier


def predict(
    photos: Annotated[
        list[str] | None,
        argument("Files, folders, patterns, lists or shards; - for standard input."),
    ] = None,
    model: Model = None,
    top: Annotated[int, option("Classes of a photo to show or write.", min=1)] = 5,
    verbose: Verbose = False,
    as_json: Json = False,
    csv: Annotated[Path | None, option("Write a CSV file.")] = None,
    parquet: Annotated[Path | None, option("Write a Parquet file.")] = None,
    shards: Annotated[
        bool, option("Write a folder of Parquet files to --parquet.", "--shards")
    ] = False,
    share: ShareOf = "1/1",
    camera: Annotated[bool, option("Classify the camera image.", "--camera")] = False,
    video: Annotated[Path | None, option("Classify the frames of a video.")] = None,
) -> int:
    """Classify photos, a video or the camera image.

    With --csv or --parquet, the same command resumes an interrupted run.

    Example: eyespot predict holiday/ -m pets.eyespot --csv predictions.csv
    """
    live = camera or video is not None
    if not photos and not live:
        raise UsageError("Name at least one photo, folder or pattern, or use --camera or --video.")
    if live and (photos or as_json or csv or parquet or (camera and video is not None)):
        raise UsageError(
            "--camera and --video show predictions and write nothing. Use one of them, without "
            "photos, --json, --csv and --parquet."
        )
    from eyespot.data.parts import Share

    tables = Tables(csv, parquet, Share.parse(share), shards=shards)
    tables.check()
    classifier = open_model(model)
    if live:
        from eyespot.cli.live import watch

        watch(classifier, video, top)
        return 0
    dataset = _find(photos or [])
    show: Show = print_predictions_json
    if not as_json:
        bars = verbose or len(dataset.photos) == 1
        show = print_top if bars else partial(print_lines, photos=dataset.photos)
    if tables.paths:
        written = tables.write(classifier, dataset, model, top, show if as_json else None)
        count, failures = written.photos, written.failures
    else:
        failed: Counter[bool] = Counter()
        show(while_read(classifier.predict_batch(dataset.photos, top=top), failed))
        count, failures = failed.total(), failed[True]
    print_problems(dataset)
    return 1 if count and count == failures else 0


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that predictions are written to: perhaps none."""

    csv: Path | None
    parquet: Path | None
    share: "Share"
    shards: bool

    @property
    def paths(self) -> list[Path]:
        return [path for path in (self.parquet, self.csv) if path]

    @property
    def files(self) -> list[Path]:
        return [path for path in self.paths if not (self.shards and path == self.parquet)]

    def check(self) -> None:
        """Raises UsageError for options that exclude each other and files of another kind."""
        if (self.shards and not self.parquet) or (self.share.of > 1 and not self.paths):
            raise UsageError("--shards needs --parquet; --share needs --parquet or --csv.")
        if self.paths:
            from eyespot.tasks.classification.predict_table import COLUMNS

            check_ending(self.csv, ".csv")
            if not self.shards:
                check_ending(self.parquet, ".parquet")
            for path in self.files:
                check_table(path, COLUMNS)

    def write(
        self,
        classifier: "Classifier",
        dataset: "Dataset",
        model: str | None,
        top: int,
        show: Show | None,
    ) -> "Written":
        """Write the predictions and print where; `show` prints them instead.

        Raises UsageError if a table would replace a photo or the model.
        """
        from eyespot.data.job_folder import MANIFEST
        from eyespot.tasks.classification.predict_table import write_predictions

        if self.shards and self.parquet:
            check_folder(self.parquet, MANIFEST)
        check_outputs(self.files, model_file(model), dataset.photos)
        with resumable() as step:
            written = write_predictions(
                classifier,
                dataset.photos,
                self.parquet,
                self.csv,
                top=top,
                shards=self.shards,
                share=self.share,
                progress=step,
                show=show or (lambda predictions: None),
            )
        print_failures(written)
        predictions = counted(written.photos, "prediction")
        for path in self.paths:
            if self.share.of > 1:
                of = f"{len(dataset.photos):,}"
                say(f"{predictions} of {of} written for {printable(path)}")
            elif not show:
                say(f"Wrote {predictions} to {printable(path)}", file=sys.stderr)
        return written


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
