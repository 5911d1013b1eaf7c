"""`eyespot embed`."""

from pathlib import Path
from typing import Annotated

import typer

from eyespot.cli.outputs import check_outputs
from eyespot.cli.show import printable, progress
from eyespot.errors import UsageError


def embed(
    photos: Annotated[list[str], typer.Argument(help="Files, folders or patterns.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The Parquet file to write.")],
    backbone: Annotated[str, typer.Option(help="The network.")] = "efficientnet_lite0",
) -> int:
    """Write the features of photos to a Parquet file: a row a photo, a column a block.

    Example: eyespot embed photos/ -o features.parquet
    """
    from eyespot.data.folders import find_photos
    from eyespot.features.backbone import load_backbone
    from eyespot.features.cache import FeatureCache
    from eyespot.features.engines import open_engine
    from eyespot.features.table import write_features

    check_outputs([output])
    body = load_backbone(backbone)
    engine = open_engine(body)
    found = find_photos(photos)
    if not found.photos:
        raise UsageError(f"There is no photo in {', '.join(photos)}.")
    with progress() as step:
        written, failed = write_features(
            found.photos,
            body,
            engine,
            FeatureCache(),
            output,
            lambda done: step("Looking at photos", done, len(found.photos)),
        )
    for skipped in (*found.skipped, *failed):
        print(printable(f"Skipped {skipped.path}: {skipped.reason}"))
    print(f"{written} photos, {output}")
    return 0 if written else 1
