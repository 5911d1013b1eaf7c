"""`eyespot predict`."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.images import Images
from eyespot.cli.models import model_file, open_model
from eyespot.cli.options import Json, Model, ShareOf, Verbose, argument, given, models, option
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, check_table
from eyespot.cli.predictions import (
    Show,
    exhaust,
    print_details,
    print_lines,
    print_predictions_json,
    while_read,
)
from eyespot.cli.show import print_failures, print_problems, print_wrote, resumable, say
from eyespot.errors import UsageError
from eyespot.shown import counted, printable

if TYPE_CHECKING:
    from eyespot.data.parts import Share, Written
    from eyespot.data.photos import Dataset
    from eyespot.tasks.protocol import Prediction, Task


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
    annotated: Annotated[
        Path | None,
        option("Write photos, or the video, with boxes into FOLDER (detectors).", metavar="FOLDER"),
    ] = None,
    crops: Annotated[
        Path | None,
        option("Write each box as a photo into FOLDER/CLASS/ (detectors).", metavar="FOLDER"),
    ] = None,
    then: Annotated[
        str | None,
        option(
            "A classifier that names each box (detectors).",
            metavar="MODEL",
            autocompletion=models,
        ),
    ] = None,
    camera: Annotated[bool, option("Classify the camera image.", "--camera")] = False,
    video: Annotated[Path | None, option("Classify the frames of a video.")] = None,
) -> int:
    """Classify photos, a video or the camera image, or detect objects.

    With --csv or --parquet, the same command resumes an interrupted run.

    Example: eyespot predict holiday/ -m pets.eyespot --csv predictions.csv
    """
    live = camera or video is not None
    if not photos and not live:
        raise UsageError("Name at least one photo, folder or pattern, or use --camera or --video.")
    if live and (photos or csv or parquet or crops or (camera and video is not None)):
        raise UsageError(
            "--camera and --video show predictions. Use one of them, without photos, --csv, "
            "--parquet and --crops; --json and --annotated are for detectors."
        )
    from eyespot.data.parts import Share

    tables = Tables(csv, parquet, Share.parse(share), shards=shards)
    tables.check()
    opened: Any = open_model(model)
    if then:
        from eyespot.tasks.two_steps import two_steps

        opened = two_steps(opened, open_model(then))
    options = given(predict, opened.predict_batch, opened, top=top)
    folders = given(predict, opened.images, opened, annotated=annotated, crops=crops)
    if live and (as_json or annotated):
        from eyespot.cli.tracked import write_tracked

        write_tracked(opened, video, annotated, as_json=as_json)
        return 0
    if live:
        from eyespot.cli.live import watch

        watch(opened, video, options)
        return 0
    dataset = _find(photos or [])
    images = Images(opened, dataset.photos, folders)
    images.check()
    show: Show = print_predictions_json
    if not as_json:
        full = verbose or len(dataset.photos) == 1
        show = print_details if full else partial(print_lines, photos=dataset.photos)
    if tables.paths:
        inputs = [*model_file(model), *model_file(then)]
        written = tables.write(opened, dataset, inputs, options, show if as_json else None, images)
        count, failures = written.photos, written.failures
    else:
        failed: Counter[bool] = Counter()
        predictions = images.write(opened.predict_batch(dataset.photos, **options))
        show(while_read(predictions, failed))
        count, failures = failed.total(), failed[True]
    if folders and not as_json:
        print_wrote(*folders.values())
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
        """Raises UsageError for options that exclude each other and names of another kind."""
        if (self.shards and not self.parquet) or (self.share.of > 1 and not self.paths):
            raise UsageError("--shards needs --parquet; --share needs --parquet or --csv.")
        check_ending(self.csv, ".csv")
        if not self.shards:
            check_ending(self.parquet, ".parquet")

    def write(
        self,
        model: "Task",
        dataset: "Dataset",
        inputs: Sequence[Path],
        options: Mapping[str, Any],
        show: Show | None,
        images: Images,
    ) -> "Written":
        """Write the predictions and print where; `show` prints them instead. At the end come the
        images, those of photos that an earlier run predicted as well.

        Raises UsageError if a table would replace a photo, one of `inputs`, or another table, and
        for images of a share.
        """
        from eyespot.data.job_folder import MANIFEST
        from eyespot.tasks.predict_table import write_predictions

        if self.share.of > 1 and images.folders:
            raise UsageError(
                "--annotated and --crops need the predictions of all photos. Use them in the "
                "command without --share."
            )

        def finish(predictions: "Iterable[Prediction]") -> None:
            if show or images.folders:
                (show or exhaust)(images.write(predictions))

        for path in self.files:
            check_table(path, list(model.prediction.COLUMNS))
        if self.shards and self.parquet:
            check_folder(self.parquet, MANIFEST)
        check_outputs(self.files, inputs, dataset.photos)
        with resumable() as step:
            written = write_predictions(
                model,
                dataset.photos,
                self.parquet,
                self.csv,
                options=options,
                shards=self.shards,
                share=self.share,
                progress=step,
                show=finish,
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
