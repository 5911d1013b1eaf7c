"""Options that several verbs share, with the values that a shell completes."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eyespot.data.photos import Dataset

MODEL_HELP = "A .eyespot file, a network of the zoo, or a network.safetensors of train."
TABLES = "Tables"
"""The panel of the options that only tables of photos need."""


def one_of(*values: str) -> Callable[[str], list[str]]:
    """A completion from fixed values."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def networks(incomplete: str) -> list[str]:
    """Complete the name of a network of the zoo."""
    from eyespot.models.catalogue import NETWORKS

    return one_of(*NETWORKS)(incomplete)


def models(incomplete: str) -> list[str]:
    """Complete what -m takes: classifiers, trained networks, folders, names of the zoo."""
    parent, _, start = incomplete.rpartition("/")
    folder = Path(f"{parent}/" if "/" in incomplete else ".")
    found = []
    for path in sorted(folder.iterdir() if folder.is_dir() else ()):
        name = f"{incomplete[: len(incomplete) - len(start)]}{path.name}"
        if path.name.startswith(start) and name.isprintable():
            if path.suffix in (".eyespot", ".safetensors"):
                found.append(name)
            elif path.is_dir() and not path.name.startswith("."):
                found.append(f"{name}/")
    return [*found, *networks(incomplete)]


def option(help: str, *names: str, **more: Any) -> Any:
    """An option, by default named as its parameter. `more`: as typer.Option takes it."""
    return typer.Option(*names, help=help, **more)


def argument(help: str, **more: Any) -> Any:
    """An argument. `more`: as typer.Argument takes it."""
    return typer.Argument(help=help, **more)


def choice(help: str, *values: str) -> Any:
    """An option with a few values, which its help lists and the shell completes."""
    listed = f"{', '.join(values[:-1])} or {values[-1]}"
    return option(f"{help}{listed}.", autocompletion=one_of(*values))


LabelledPhotos = Annotated[
    Path,
    typer.Argument(
        help="PHOTOS/CLASS/*.jpg, the same in train/, val/ and test/, a CSV, TSV or JSON table, "
        "Parquet, IDX or WebDataset shards (.tar)."
    ),
]
ManyPhotos = Annotated[list[str], argument("Files, folders, patterns, lists or shards.")]
Model = Annotated[
    str | None,
    option(
        MODEL_HELP,
        "-m",
        "--model",
        show_default="the 1,000 ImageNet classes",
        autocompletion=models,
    ),
]
Backbone = Annotated[
    str, option("A network of the zoo, or a network.safetensors of train.", autocompletion=networks)
]
Network = Annotated[str, option("A network of the zoo.", "-m", "--model", autocompletion=networks)]
HeldOut = Annotated[float, option("Share of each class to validate on, if there is no split val.")]
Seed = Annotated[int, option("Random seed, up to 2**64 - 1.")]
Epochs = Annotated[int, option("Passes over the training set.")]
BatchSize = Annotated[int, option("Photos in a training step.")]
Optimiser = Annotated[str, choice("", "sgd", "adam", "adamw")]
Precision = Annotated[str, choice("Number format: ", "auto", "fp32", "bf16")]
ShareOf = Annotated[
    str,
    option("Do one of N shares, as 2/8; the same command without --share joins them.", "--share"),
]
Verbose = Annotated[bool, option("Show more, with bars.", "-v", "--verbose")]
Json = Annotated[bool, option("Print JSON, for programs.", "--json")]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table of photos that were named, None for those to be found."""

    path: str | None = None
    label: str | None = None
    split: str | None = None

    def open(self, photos: Path, *, least_classes: int = 2) -> "Dataset":
        """Labelled photos, read with these columns. Raises DatasetError, UsageError."""
        from eyespot.data.open import open_photos

        return open_photos(
            photos,
            least_classes=least_classes,
            path_column=self.path,
            label_column=self.label,
            split_column=self.split,
        )


def _column(name: str, help: str) -> inspect.Parameter:
    option = typer.Option(
        f"--{name}-column", metavar="NAME", help=help, show_default=False, rich_help_panel=TABLES
    )
    return inspect.Parameter(
        f"{name}_column",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


_COLUMNS = (
    _column("path", "A table's column of photos."),
    _column("label", "A table's column of labels."),
    _column("split", "A table's column of train, val and test."),
)


def with_columns(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Give a verb with a parameter `columns` the options that name the columns of a table."""

    @functools.wraps(verb)
    def run(
        *arguments: Any,
        path_column: str | None = None,
        label_column: str | None = None,
        split_column: str | None = None,
        **options: Any,
    ) -> int | None:
        columns = Columns(path_column, label_column, split_column)
        return verb(*arguments, columns=columns, **options)

    signature = inspect.signature(verb)
    own = [one for one in signature.parameters.values() if one.name != "columns"]
    run.__signature__ = signature.replace(parameters=[*own, *_COLUMNS])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*own, *_COLUMNS)}
    return run
