"""The options that name a table's columns, which all verbs that read labelled photos share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eyespot.data.photos import Dataset

PathColumn = Annotated[
    str | None,
    typer.Option(
        "--path-column", metavar="NAME", help="A table's column of photos.", show_default=False
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column", metavar="NAME", help="A table's column of labels.", show_default=False
    ),
]
SplitColumn = Annotated[
    str | None,
    typer.Option(
        "--split-column",
        metavar="NAME",
        help="A table's column of train, val and test.",
        show_default=False,
    ),
]


def open_labelled(
    photos: Path,
    path_column: str | None,
    label_column: str | None,
    split_column: str | None,
    *,
    least_classes: int = 2,
) -> "Dataset":
    """Labelled photos, with the columns that were named. Raises DatasetError, UsageError."""
    from eyespot.data.open import open_photos

    return open_photos(
        photos,
        least_classes=least_classes,
        path_column=path_column,
        label_column=label_column,
        split_column=split_column,
    )
