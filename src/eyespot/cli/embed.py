"""`eyespot embed`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from eyespot.cli.at_length import Part, looking, read_and_written, say_failures
from eyespot.cli.outputs import check_ending, check_folder, check_outputs, check_table
from eyespot.cli.show import counted, print_findings, printable, say
from eyespot.errors import PhotoError


def embed(
    photos: Annotated[list[str], typer.Argument(help="Files, folders, patterns, lists or shards.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", "--out", help="The Parquet file to write.")
    ],
    backbone: Annotated[str, typer.Option(help="The network.")] = "efficientnet_lite0",
    shards: Annotated[
        bool, typer.Option("--shards", help="Write a folder of Parquet files instead of one.")
    ] = False,
    share: Part = "1/1",
) -> int:
    """Write the features of photos to a Parquet file: a row a photo, a column a block.

    The same command goes on with a run that was stopped.

    Example: eyespot embed photos/ -o features.parquet
    """
    from eyespot.data.job_folder import MANIFEST
    from eyespot.data.parts import WHOLE, Share
    from eyespot.data.unlabelled import find_unlabelled
    from eyespot.features.backbone import load_backbone
    from eyespot.features.cache import FeatureCache
    from eyespot.features.engines import open_engine
    from eyespot.features.table import COLUMNS, write_features

    part = Share.parse(share)
    if shards:
        check_folder(output, MANIFEST)
    else:
        check_ending(output, ".parquet")
        check_table(output, COLUMNS)
    found = find_unlabelled(photos)
    if not shards:
        check_outputs([output], read_and_written(found.photos, [output]))
    body = load_backbone(backbone)
    engine = open_engine(body)
    with looking() as step:
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
    print_findings(found.findings, sys.stderr)
    for skipped in found.skipped:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"), file=sys.stderr)
    say_failures(written)
    good, place = written.photos - written.failures, printable(str(output))
    if part == WHOLE and not good:
        raise PhotoError(f"None of the photos could be used, so nothing is written to {place}.")
    if part == WHOLE:
        say(f"{counted(good, 'photo')}, {place}")
    else:
        say(f"{written.photos} of {len(found.photos)} photos are there for {place}")
    return 0 if good or not written.photos else 1
