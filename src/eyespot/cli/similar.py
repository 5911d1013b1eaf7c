"""`eyespot similar`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.options import Json, argument, option
from eyespot.cli.outputs import check_ending, check_outputs, write_png
from eyespot.cli.show import print_json, say
from eyespot.shown import bar, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from eyespot.features.similar import Similar


def similar(
    photo: Annotated[Path, argument("The photo to compare with.")],
    features: Annotated[
        Path, option("The Parquet file, or folder of them, that embed wrote.", "--in")
    ],
    count: Annotated[int, option("Photos to find.", "-k", min=1)] = 10,
    block: Annotated[
        str | None, option("The features to compare.", show_default="of the last stage")
    ] = None,
    output: Annotated[
        Path | None, option("Draw the photos into a PNG file.", "-o", "--output")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the photos most similar to one photo.

    The others are the photos whose features embed wrote.

    Example: eyespot similar photo.jpg --in features.parquet
    """
    if output:
        check_ending(output, ".png")
        check_outputs([output], [photo, features])
    from eyespot.data.photos import FileSource, Photo
    from eyespot.features.similar import KeptFeatures, find_similar

    query = Photo(printable(photo), FileSource(photo))
    found = find_similar(query, KeptFeatures(features, block), count)
    if as_json:
        print_json([{"path": near.path, "similarity": near.similarity} for near in found])
    else:
        for near in found:
            shown = bar(max(0.0, near.similarity), 12)
            say(f"{near.similarity:6.3f} {shown} {printable(near.path)}")
    if output:
        _draw(query.read(), found, output)


def _draw(data: "bytes | NDArray[np.uint8]", found: "list[Similar]", output: Path) -> None:
    """Draw the photo on the left, and the similar photos row by row on the right."""
    import numpy as np
    from PIL import Image

    from eyespot.data.decode import decode
    from eyespot.explain.sheet import grid, page
    from eyespot.features.extract import THUMBNAIL

    def tile(image: "bytes | NDArray[np.uint8]") -> "NDArray[np.uint8]":
        small = Image.fromarray(decode(image).pixels)
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        square = Image.new("RGB", (THUMBNAIL, THUMBNAIL), (255, 255, 255))
        square.paste(small, ((THUMBNAIL - small.width) // 2, (THUMBNAIL - small.height) // 2))
        return np.asarray(square)

    tiles = np.stack([tile(near.thumbnail) for near in found])
    caption = f"{found[0].similarity:.3f} to {found[-1].similarity:.3f}, row by row"
    sheet = page("The most similar photos", [("Query", tile(data)), (caption, grid(tiles))])
    say(write_png(sheet, output), file=sys.stderr)
