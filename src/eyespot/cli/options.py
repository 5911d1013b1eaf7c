"""Options that several verbs share, with the values that a shell completes."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.data.photos import Dataset

MODEL_HELP = "A .eyespot file, a network of the zoo, or a network.safetensors of train."
Verb = Callable[..., int | None]


def one_of(*values: str) -> Callable[[str], list[str]]:
    """A completion from fixed values."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def networks(incomplete: str) -> list[str]:
    """Complete the name of a network of the zoo."""
    from eyespot.models.catalogue import NETWORKS

    return one_of(*NETWORKS)(incomplete)


def tasks(incomplete: str) -> list[str]:
    """Complete the name of a task."""
    from eyespot.tasks.task import TASKS

    return one_of(*TASKS)(incomplete)


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
HeldOut = Annotated[float, option("Share of each class to validate on, if there is no split val.")]
ShareOf = Annotated[
    str,
    option("Do one of N shares, as 2/8; the same command without --share joins them.", "--share"),
]
Verbose = Annotated[bool, option("Show more, with bars.", "-v", "--verbose")]
Json = Annotated[bool, option("Print JSON, for programs.", "--json")]


def options_of(name: str, prototype: Any, options: Mapping[str, Any]) -> Callable[[Verb], Verb]:
    """Give a verb `options` in place of its keyword-only parameter `name`, a dataclass.

    `options`: by field. Their defaults, and all other fields, are those of `prototype`.
    """
    hints = get_type_hints(type(prototype))
    added = [
        inspect.Parameter(
            field,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(prototype, field),
            annotation=Annotated[hints[field], declared],
        )
        for field, declared in options.items()
    ]

    def decorate(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def run(*arguments: Any, **given: Any) -> int | None:
            chosen = {field: given.pop(field) for field in options if field in given}
            return verb(*arguments, **{name: replace(prototype, **chosen)}, **given)

        signature = inspect.signature(verb)
        parameters: list[inspect.Parameter] = []
        for one in signature.parameters.values():
            parameters += added if one.name == name else [one]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate


def given(verb: Verb, to: Callable[..., Any], task: Any, **values: Any) -> dict[str, Any]:
    """The options of `verb` that were given, for `to`, a function of a task.

    `values`: by the name of the parameter; those that are not the default count as given. Raises
    UsageError for an option that `to` does not take.
    """
    declared, known = inspect.signature(verb).parameters, inspect.signature(to).parameters
    chosen = {name: value for name, value in values.items() if value != declared[name].default}
    for name in chosen:
        if name not in known:
            described = declared[name].annotation.__metadata__[0]
            # typer takes the first name as a default, which has no place in an annotation.
            names = [x for x in (described.default, *described.param_decls) if isinstance(x, str)]
            spelled = names[-1] if names else f"--{name.replace('_', '-')}"
            raise UsageError(f"A {task.noun} has no option {spelled}. Leave it out.")
    return chosen


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table of photos that were named, None for those to be found."""

    path_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None

    def open(self, photos: Path, *, least_classes: int = 2) -> "Dataset":
        """Labelled photos, read with these columns. Raises DatasetError, UsageError."""
        from eyespot.data.open import open_photos

        return open_photos(photos, least_classes=least_classes, **asdict(self))


def _column(help: str) -> Any:
    return option(help, metavar="NAME", show_default=False, rich_help_panel="Tables")


with_columns = options_of(
    "columns",
    Columns(),
    {
        "path_column": _column("A table's column of photos."),
        "label_column": _column("A table's column of labels."),
        "split_column": _column("A table's column of train, val and test."),
    },
)
"""Give a verb with a parameter `columns` the options that name the columns of a table."""
