"""`eyespot embed`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.models import expect_backbone
from eyespot.cli.options import Backbone, ManyPhotos, ShareOf, option
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, check_table
from eyespot.cli.show import print_failures, print_problems, resumable, say
from eyespot.errors import PhotoError
from eyespot.shown import counted, printable

if TYPE_CHECKING:
    from eyespot.data.parts import Written


def embed(
    photos: ManyPhotos,
    output: Annotated[Path, option("The Parquet file to write.", "-o", "--output", "--out")],
    backbone: Backbone = "efficientnet_lite0",
    shards: Annotated[
        bool, option("Write a folder of Parquet files instead of one.", "--shards")
    ] = False,
    share: ShareOf = "1/1",
) -> int:
    """Write the feature vectors of photos to a Parquet file.

    A row for each photo, a column for each stage. The same command resumes an interrupted run.

    Example: eyespot embed photos/ -o features.parquet
    """
    from eyespot.data.job_folder import MANIFEST
    from eyespot.data.parts import Share
    from eyespot.data.unlabelled import find_unlabelled
    from eyespot.features.backbone import load_backbone
    from eyespot.features.cache import FeatureCache
    from eyespot.features.engines import open_engine
    from eyespot.features.table import COLUMNS, write_features

    part = Share.parse(share)
    expect_backbone(backbone)
    if shards:
        check_folder(output, MANIFEST)
    else:
        check_ending(output, ".parquet")
        check_table(output, COLUMNS)
    found = find_unlabelled(photos)
    if not shards:
        check_outputs([output], photos=found.photos)
    body = load_backbone(backbone)
    engine = open_engine(body)
    with resumable() as step:
        written = write_features(
            found.photos,
            body,
            engine,
            FeatureCache(),
            output,
            shards=shards,
            share=part,
            progress=step,
        )
    print_problems(found)
    print_failures(written)
    return _print_written(written, len(found.photos), output, whole=part == Share())


def _print_written(written: "Written", photos: int, output: Path, *, whole: bool) -> int:
    """Print how many photos are in the table; the exit code. Raises PhotoError for none at all."""
    good, place = written.photos - written.failures, printable(output)
    if not whole:
        say(f"{written.photos:,} of {photos:,} photos written for {place}")
    elif good:
        say(f"Wrote the features of {counted(good, 'photo')} to {place}")
    else:
        raise PhotoError(f"None of the photos could be used, so nothing is written to {place}.")
    return 0 if good or not written.photos else 1
