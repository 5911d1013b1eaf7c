"""`eyespot`: the verbs in their groups, and every error as a message and an exit code.

0: done. 1: failed. 2: wrong use. 130: interrupted. Each verb imports its libraries when it runs,
and rich is imported only to show help or progress, so that `eyespot predict` starts fast.
"""

import functools
import io
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from eyespot import __version__
from eyespot.cli.cache import cache
from eyespot.cli.demo import demo
from eyespot.cli.embed import embed
from eyespot.cli.evaluate import evaluate
from eyespot.cli.explain import VERBS as EXPLAINING
from eyespot.cli.explain import PhotoFirst
from eyespot.cli.explain_dataset import dataset
from eyespot.cli.export import export
from eyespot.cli.faces import faces
from eyespot.cli.graph import graph
from eyespot.cli.options import Verb, option
from eyespot.cli.predict import predict
from eyespot.cli.serve import serve
from eyespot.cli.show import guard_terminal, say
from eyespot.cli.similar import similar
from eyespot.cli.streams import reader_is_gone
from eyespot.cli.studio import studio
from eyespot.cli.teach import teach
from eyespot.cli.train import train
from eyespot.cli.tune import tune
from eyespot.cli.weights import weights
from eyespot.cli.zoo import zoo
from eyespot.errors import EyespotError, UsageError

GROUPS: dict[str, tuple[Verb, ...]] = {
    "Teach and use": (demo, teach, predict, evaluate, embed, similar, faces, cache),
    "Look inside": (zoo, graph),
    "Train networks": (train, tune, weights),
    "Share and serve": (export, serve, studio),
}

_CACHED = " Computed features are in the cache."
_RESUMES = " Finished work is kept: the same command resumes."
_KEPT: dict[Verb, str] = {
    teach: _CACHED,
    predict: _RESUMES,
    embed: _RESUMES,
    evaluate: _CACHED,
    dataset: _CACHED,
    train: " The same command resumes from the last checkpoint.",
    tune: _RESUMES,
}
"""What an interrupted verb leaves behind."""


class _Verbs(TyperGroup):
    """A group that escapes its own errors, as they quote arguments such as untrusted file names."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs in the order of the help; typer lists groups such as explain at the end."""
        names = super().list_commands(ctx)
        names.remove("explain")
        names.insert(names.index("zoo"), "explain")
        return names

    def main(self, *args: Any, **more: Any) -> Any:
        if not more.get("standalone_mode", True):
            return super().main(*args, **more)
        more["standalone_mode"] = False
        try:
            code = super().main(*args, **more)
        except typer.Abort:
            say("Aborted!", file=sys.stderr)
            code = 1
        except Exception as error:
            show = getattr(error, "show", None)
            if show is None:
                raise
            message = io.StringIO()
            show(message)
            say(message.getvalue(), end="", file=sys.stderr)
            code = getattr(error, "exit_code", 1)
        sys.exit(code if isinstance(code, int) else 0)


def _version(value: bool) -> None:
    if value:
        say(f"eyespot {__version__}")
        raise typer.Exit


def eyespot(
    context: typer.Context,
    version: Annotated[
        bool, option("Show the version.", "--version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Train image classifiers and detectors from a few photos, and measure their accuracy.

    Start with sample photos: eyespot demo

    Use your own, a folder for each class: eyespot teach pets/ -o pets.eyespot
    """
    guard_terminal()
    if context.invoked_subcommand is None:
        say(context.get_help(), end="")


def _guarded(verb: Verb) -> Callable[..., None]:
    """The verb with its errors as messages and its result as the exit code."""

    @functools.wraps(verb)
    def run(*args: Any, **options: Any) -> None:
        try:
            code = verb(*args, **options)
        except UsageError as error:
            _fail(str(error), 2)
        except EyespotError as error:
            _fail(str(error), 1)
        except KeyboardInterrupt:
            prints_only = verb is predict and not (options["csv"] or options["parquet"])
            _fail(f"Interrupted.{'' if prints_only else _KEPT.get(verb, '')}", 130)
        except MemoryError:
            _fail("There is not enough memory. Close other programs or use fewer photos.", 1)
        except OSError as error:
            if isinstance(error, BrokenPipeError) and reader_is_gone():
                raise typer.Exit(0) from None
            where = f"on {error.filename}" if error.filename else "in reading or writing a file"
            _fail(
                f"{verb.__name__} failed {where}: {error.strerror or error}. Check that the file "
                "exists, that you have permission and that the disk has room. Then run the same "
                "command again.",
                1,
            )
        raise typer.Exit(code or 0)

    return run


def _fail(message: str, code: int) -> NoReturn:
    say(f"eyespot: {message}", file=sys.stderr)
    raise typer.Exit(code)


def _build() -> typer.Typer:
    """The command line with all verbs, in the order of the help."""
    built = typer.Typer(cls=_Verbs, pretty_exceptions_enable=False, rich_markup_mode="rich")
    built.callback(invoke_without_command=True)(eyespot)
    for group, verbs in GROUPS.items():
        for verb in verbs:
            # An expression may begin with a minus, which is not an option then.
            settings = {"ignore_unknown_options": True} if verb is graph else None
            built.command(rich_help_panel=group, context_settings=settings)(_guarded(verb))
    explain = typer.Typer(rich_markup_mode="rich", cls=PhotoFirst)
    built.add_typer(
        explain,
        name="explain",
        rich_help_panel="Look inside",
        help="Explain a prediction, a network or a dataset.\n\n"
        "Example: eyespot explain photo.jpg -m pets.eyespot",
    )
    for verb in (*EXPLAINING, dataset):
        explain.command()(_guarded(verb))
    return built


app = _build()


def main() -> None:
    """Run the command line and exit with its code."""
    app(prog_name="eyespot")
